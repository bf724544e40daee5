//! Where predictions run: names, colours, legend.

use contract::Origin;
use leptos::prelude::*;

use crate::charts::cursor::color;

/// All origins, in the order they are stacked.
pub const ORIGINS: [Origin; 3] = [Origin::Server, Origin::Edge, Origin::Browser];

/// Index of an origin's colour.
pub fn origin_color(origin: Origin) -> usize {
    match origin {
        Origin::Browser => 0,
        Origin::Edge => 1,
        Origin::Server => 2,
    }
}

/// Names with their colours.
pub fn legend(entries: Vec<(String, usize, bool)>) -> impl IntoView {
    let entries = entries.into_iter().map(|(name, index, dashed)| {
        let class = format!("{}{}", color(index), if dashed { " dashed" } else { "" });
        view! { <li class=class><i></i>{name}</li> }
    });
    view! { <ul class="legend">{entries.collect_view()}</ul> }
}
