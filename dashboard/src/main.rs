//! The dashboard: a window onto the API. State lives in the URL and on the server.

mod api;
mod app;
mod charts;
mod clock;
mod components;
mod device;
mod format;
mod live;
mod pages;
mod query;
mod routes;
mod theme;
mod ui;

fn main() {
    console_error_panic_hook::set_once();
    if let Some(boot) = leptos::prelude::document().query_selector(".boot").ok().flatten() {
        boot.remove();
    }
    leptos::mount::mount_to_body(app::App);
}
