//! What time it is, and where the reader is.

use leptos::prelude::*;

use crate::format;

/// Milliseconds since 1970.
pub fn now() -> i64 {
    js_sys::Date::now() as i64
}

/// Minutes east of UTC.
pub fn offset() -> i64 {
    -js_sys::Date::new_0().get_timezone_offset() as i64
}

/// A moment as `5 min ago`, kept right, with the full date on hover.
#[component]
pub fn Ago(#[prop(into)] at: Signal<i64>) -> impl IntoView {
    let ticks = use_context::<Ticks>().map(|t| t.0);
    let text = move || {
        if let Some(ticks) = ticks {
            ticks.track();
        }
        if at.get() > 0 { format::ago(now(), at.get()) } else { "–".to_owned() }
    };
    view! { <time title=move || format::date(at.get(), offset())>{text}</time> }
}

/// A signal that fires every second, for texts that speak of now.
#[derive(Clone, Copy)]
pub struct Ticks(pub RwSignal<u32>);

/// Starts the clock; once, in the app.
pub fn provide_ticks() {
    let ticks = RwSignal::new(0u32);
    provide_context(Ticks(ticks));
    let every_second = set_interval_with_handle(
        move || {
            if !document().hidden() {
                ticks.update(|n| *n = n.wrapping_add(1));
            }
        },
        std::time::Duration::from_secs(1),
    );
    if let Ok(handle) = every_second {
        on_cleanup(move || handle.clear());
    }
}
