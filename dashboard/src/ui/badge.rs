//! A state in a word, with a sign so that colour is never alone.

use leptos::prelude::*;

use super::{Icon, icon};

/// What a state means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Good,
    /// Look at this.
    Warn,
    /// Broken.
    Bad,
    /// Going on now.
    Busy,
    /// Nothing to say.
    Quiet,
    /// The thing this product is about.
    Accent,
}

/// A badge with the sign of its tone.
pub fn badge(tone: Tone, text: impl Into<String>) -> impl IntoView {
    let (class, sign) = match tone {
        Tone::Good => ("badge good", Some(Icon::Check)),
        Tone::Warn => ("badge warn", Some(Icon::Warning)),
        Tone::Bad => ("badge bad", Some(Icon::Cross)),
        Tone::Busy => ("badge busy", None),
        Tone::Quiet => ("badge quiet", None),
        Tone::Accent => ("badge accent", Some(Icon::Star)),
    };
    view! { <span class=class>{sign.map(icon)}{text.into()}</span> }
}
