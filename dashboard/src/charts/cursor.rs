//! The vertical line under the pointer, and the box that says what is there.

use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Horizontal place of the pointer within `place`, in pixels.
pub fn pointer_x(event: &web_sys::PointerEvent, place: NodeRef<Div>) -> Option<f64> {
    let element: web_sys::Element = place.get_untracked()?.unchecked_into();
    Some(f64::from(event.client_x()) - element.get_bounding_client_rect().left())
}

/// One line of the box: class of the colour, name, value.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Class that sets the colour.
    pub class: &'static str,
    /// Name of the series.
    pub name: String,
    /// Its value here.
    pub value: String,
}

/// A box beside the cursor at pixel `x` of `width`.
pub fn tooltip(x: f64, width: f64, title: String, lines: Vec<Line>) -> impl IntoView {
    let right = x > width / 2.0;
    let (left_px, right_px) = if right {
        ("auto".to_owned(), format!("{:.0}px", width - x + 12.0))
    } else {
        (format!("{:.0}px", x + 12.0), "auto".to_owned())
    };
    let lines = lines.into_iter().map(|line| {
        view! {
            <li class=line.class>
                <i></i>
                <span>{line.name}</span>
                <b>{line.value}</b>
            </li>
        }
    });
    view! {
        <div class="tooltip" style:left=left_px style:right=right_px>
            <p>{title}</p>
            <ul>{lines.collect_view()}</ul>
        </div>
    }
}

/// Classes of the palette, by index.
pub fn color(index: usize) -> &'static str {
    ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"][index % 8]
}
