//! A word at the edge of the screen after something was done.

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

/// The messages that are shown now.
#[derive(Clone, Copy)]
pub struct Toasts(RwSignal<Vec<(u32, bool, String)>>);

impl Toasts {
    /// Shows that something worked.
    pub fn good(&self, text: impl Into<String>) {
        self.show(true, text.into());
    }

    /// Shows that something did not.
    pub fn bad(&self, text: impl Into<String>) {
        self.show(false, text.into());
    }

    fn show(&self, good: bool, text: String) {
        let list = self.0;
        let id = list.with_untracked(|l| l.last().map_or(0, |last| last.0.wrapping_add(1)));
        list.update(|l| l.push((id, good, text)));
        leptos::task::spawn_local(async move {
            TimeoutFuture::new(5_000).await;
            list.try_update(|l| l.retain(|toast| toast.0 != id));
        });
    }
}

/// Makes [`Toasts`] known and gives the place where they appear.
pub fn provide_toasts() -> impl IntoView {
    let list = RwSignal::new(Vec::new());
    provide_context(Toasts(list));
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For each=move || list.get() key=|toast| toast.0 let:toast>
                <p class=if toast.1 { "toast" } else { "toast bad" }>{toast.2}</p>
            </For>
        </div>
    }
}
