//! State that lives in the URL's query.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};

/// The value of `key`; empty when it is not there.
pub fn query(key: &'static str) -> Memo<String> {
    let map = use_query_map();
    Memo::new(move |_| map.with(|map| map.get(key).unwrap_or_default()))
}

/// Sets values of the query, or takes them away when empty, without adding to the browser's history.
pub fn set_query() -> Callback<Vec<(&'static str, String)>> {
    let navigate = use_navigate();
    let location = use_location();
    Callback::new(move |changes: Vec<(&'static str, String)>| {
        let search = location.search.get_untracked();
        let Ok(params) = web_sys::UrlSearchParams::new_with_str(&search) else { return };
        for (key, value) in changes {
            if value.is_empty() {
                params.delete(key);
            } else {
                params.set(key, &value);
            }
        }
        let text = String::from(params.to_string());
        let path = location.pathname.get_untracked();
        let target = if text.is_empty() { path } else { format!("{path}?{text}") };
        navigate(&target, NavigateOptions { replace: true, scroll: false, ..Default::default() });
    })
}
