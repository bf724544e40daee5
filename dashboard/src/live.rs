//! Data that comes from the server and stays fresh.
//!
//! A value is set only when it differs from the one before, so what did not change is not drawn
//! again. Nothing is asked for while the tab is hidden.

use std::future::Future;

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::Error;
use crate::ui::failure;

/// What a fetched value must be able to do.
pub trait Data: Clone + PartialEq + Send + Sync + 'static {}
impl<T: Clone + PartialEq + Send + Sync + 'static> Data for T {}

/// The last answer and the last error; both are there when a refresh failed.
pub struct Live<T: 'static> {
    /// The last answer.
    pub data: RwSignal<Option<T>>,
    /// Why the last request brought none.
    pub error: RwSignal<Option<Error>>,
    again: RwSignal<u32>,
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Live<T> {}

impl<T> Live<T> {
    /// Asks the server now.
    pub fn refresh(&self) {
        self.again.update(|n| *n += 1);
    }
}

/// How a value is kept fresh.
#[derive(Clone, Copy)]
pub struct Pace<T> {
    /// Milliseconds until the next request, from the last answer; `None` ends it.
    pub every: fn(Option<&T>) -> Option<u32>,
    /// Keep showing the answer for the old key until the one for the new key is here.
    pub keep: bool,
}

/// Fetches when `key` changes, and again at the given pace while the owner lives.
pub fn live<K, T, F>(key: impl Fn() -> K + 'static, pace: Pace<T>, fetch: impl Fn(K) -> F + 'static) -> Live<T>
where
    K: Clone + PartialEq + 'static,
    T: Data,
    F: Future<Output = Result<T, Error>> + 'static,
{
    let live = Live { data: RwSignal::new(None), error: RwSignal::new(None), again: RwSignal::new(0) };
    let turn = RwSignal::new(0u32);
    let fetch = std::rc::Rc::new(fetch);
    Effect::new(move |before: Option<K>| {
        let key = key();
        live.again.track();
        if before.as_ref().is_some_and(|before| *before != key) && !pace.keep {
            live.data.set(None);
            live.error.set(None);
        }
        turn.update_untracked(|n| *n += 1);
        let mine = turn.get_untracked();
        let (fetch, wanted) = (fetch.clone(), key.clone());
        spawn_local(async move {
            // The turn is gone with the page, or another one has begun: either way this loop ends.
            let still = || turn.try_get_untracked() == Some(mine);
            while still() {
                if hidden() {
                    TimeoutFuture::new(300).await;
                    continue;
                }
                let answer = fetch(wanted.clone()).await;
                if !still() {
                    return;
                }
                let failed = answer.is_err();
                match answer {
                    Ok(value) => {
                        if live.data.with_untracked(|old| old.as_ref() != Some(&value)) {
                            live.data.set(Some(value));
                        }
                        if live.error.with_untracked(Option::is_some) {
                            live.error.set(None);
                        }
                    }
                    Err(error) => {
                        if live.error.with_untracked(|old| old.as_ref() != Some(&error)) {
                            live.error.set(Some(error));
                        }
                    }
                }
                match live.data.with_untracked(|data| (pace.every)(data.as_ref())) {
                    Some(ms) => TimeoutFuture::new(if failed { ms.max(4_000) } else { ms }).await,
                    None if failed && live.error.with_untracked(|e| *e == Some(Error::Network)) => {
                        TimeoutFuture::new(4_000).await
                    }
                    None => return,
                }
            }
        });
        key
    });
    live
}

/// Draws `waiting` until there is data, then `ready` once with a signal of it; an error only when
/// there is nothing better to show.
pub fn loaded<T: Data, W: IntoView + 'static, V: IntoView + 'static>(
    live: Live<T>,
    waiting: impl Fn() -> W + Send + Sync + 'static,
    ready: impl Fn(Signal<T>) -> V + Send + Sync + 'static,
) -> impl IntoView {
    #[derive(Clone, PartialEq)]
    enum State {
        Waiting,
        Ready,
        Failed(Error),
    }
    let state = Memo::new(move |_| match (live.data.with(Option::is_some), live.error.get()) {
        (true, _) => State::Ready,
        (false, Some(error)) => State::Failed(error),
        (false, None) => State::Waiting,
    });
    let stale = move || live.data.with(Option::is_some) && live.error.with(|e| *e == Some(Error::Network));
    view! {
        <Show when=stale>
            <p class="stale" role="status">"The server cannot be reached. Showing the last answer; trying again."</p>
        </Show>
        {move || match state.get() {
            State::Waiting => waiting().into_any(),
            State::Failed(error) => failure(&error, Some(Callback::new(move |()| live.refresh()))).into_any(),
            State::Ready => {
                let Some(first) = live.data.get_untracked() else { return ().into_any() };
                let last = StoredValue::new(first);
                let data = Memo::new(move |_| {
                    if let Some(value) = live.data.get() {
                        last.set_value(value);
                    }
                    last.get_value()
                });
                ready(data.into()).into_any()
            }
        }}
    }
}

/// Pace of a value that is fetched once.
pub fn once<T>() -> Pace<T> {
    Pace { every: |_| None, keep: false }
}

fn hidden() -> bool {
    document().hidden()
}
