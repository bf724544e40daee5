//! Icons, drawn on a grid of 16 with one stroke width.

use leptos::prelude::*;

/// All icons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Icon {
    Overview,
    Flask,
    Cube,
    Upload,
    Download,
    Sun,
    Moon,
    Check,
    Cross,
    Warning,
    Star,
    Copy,
    Search,
    Folder,
    File,
    ArrowUp,
    ArrowDown,
    Play,
    Pulse,
    Columns,
    Chevron,
    Leave,
}

/// An icon as tall as the text around it; hidden from screen readers.
pub fn icon(icon: Icon) -> impl IntoView {
    let path = match icon {
        Icon::Overview => "M2.5 2.5h4.5v4.5h-4.5zM9 2.5h4.5v4.5h-4.5zM2.5 9h4.5v4.5h-4.5zM9 9h4.5v4.5h-4.5z",
        Icon::Flask => "M6 2h4M6.5 2v4.5L2.9 12.4a1.1 1.1 0 0 0 1 1.6h8.2a1.1 1.1 0 0 0 1-1.6L9.5 6.5V2M4.6 10h6.8",
        Icon::Cube => "M8 1.8 13.5 5v6L8 14.2 2.5 11V5zM2.5 5 8 8.2 13.5 5M8 8.2v6",
        Icon::Upload => "M8 10.5v-8M4.8 5.4 8 2.2l3.2 3.2M2.5 10.5v3h11v-3",
        Icon::Download => "M8 2.2v8M4.8 7.3 8 10.5l3.2-3.2M2.5 10.5v3h11v-3",
        Icon::Sun => {
            "M8 5.2a2.8 2.8 0 1 0 0 5.6a2.8 2.8 0 1 0 0-5.6M8 1.3v1.4M8 13.3v1.4M1.3 8h1.4M13.3 8h1.4M3.3 3.3l1 1M11.7 11.7l1 1M12.7 3.3l-1 1M4.3 11.7l-1 1"
        }
        Icon::Moon => "M13.4 9.6A5.8 5.8 0 0 1 6.4 2.6a5.8 5.8 0 1 0 7 7z",
        Icon::Check => "m3 8.4 3.3 3.3L13 5",
        Icon::Cross => "m4 4 8 8M12 4l-8 8",
        Icon::Warning => "M8 2.2 14.4 13.4H1.6zM8 6.4v3.2M8 11.4v.3",
        Icon::Star => "m8 1.9 1.9 3.9 4.3.6-3.1 3 .7 4.3L8 11.7l-3.8 2 .7-4.3-3.1-3 4.3-.6z",
        Icon::Copy => "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
        Icon::Search => "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M10.3 10.3l3.4 3.4",
        Icon::Folder => "M1.8 4.2V13h12.4V4.8H7.8L6.4 3.2H1.8z",
        Icon::File => "M3.5 1.8h5.7l3.3 3.4v9h-9zM9 2v3.4h3.4",
        Icon::ArrowUp => "M8 13V3M4.2 6.8 8 3l3.8 3.8",
        Icon::ArrowDown => "M8 3v10M4.2 9.2 8 13l3.8-3.8",
        Icon::Play => "M4.5 2.6v10.8L13 8z",
        Icon::Pulse => "M1.5 8.5h3L6.3 3.2l3.2 9.6 1.8-4.3h3.2",
        Icon::Columns => "M2.5 2.8h11v10.4h-11zM6.2 2.8v10.4M9.8 2.8v10.4",
        Icon::Chevron => "m6 3.8 4.2 4.2L6 12.2",
        Icon::Leave => "M6.5 2.5h-4v11h4M6 8h8M10.8 4.8 14 8l-3.2 3.2",
    };
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
            <path d=path/>
        </svg>
    }
}
