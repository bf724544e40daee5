//! Files of a run: a tree at the left, the chosen file at the right.

use contract::mlflow::FileInfo;
use leptos::prelude::*;

use super::file_view::FileView;
use crate::live::{live, loaded, once};
use crate::query::{query, set_query};
use crate::ui::{Icon, icon};
use crate::{api, format};

/// The artifacts of a run. `stage` is any text that changes when there may be new files.
#[component]
pub fn Artifacts(#[prop(into)] run: Signal<String>, #[prop(into)] stage: Signal<String>) -> impl IntoView {
    let chosen = query("artifact");
    view! {
        <div class="card artifacts">
            <div class="tree"><Folder run stage path=String::new()/></div>
            <div class="file">
                <Show
                    when=move || !chosen.with(String::is_empty)
                    fallback=|| view! { <p class="none">"Choose a file to see what is in it."</p> }
                >
                    <FileView run path=chosen/>
                </Show>
            </div>
        </div>
    }
}

#[component]
fn Folder(run: Signal<String>, stage: Signal<String>, path: String) -> impl IntoView {
    let here = StoredValue::new(path);
    let mut pace = once();
    pace.keep = true;
    let files = live(
        move || (run.get(), stage.get()),
        pace,
        move |(run, _)| async move { api::artifacts(&run, &here.try_get_value().unwrap_or_default()).await },
    );
    let waiting = || view! { <div class="skeleton row"></div> };
    loaded(files, waiting, move |files| {
        let none = move || files.with(Vec::is_empty).then(|| view! { <p class="none">"No files."</p> });
        view! {
            {none}
            <ul>
                <For each=move || files.get() key=|file| (file.path.clone(), file.is_dir, file.file_size) let:file>
                    <li>{entry(run, stage, file)}</li>
                </For>
            </ul>
        }
    })
}

fn entry(run: Signal<String>, stage: Signal<String>, file: FileInfo) -> AnyView {
    let name = file.path.rsplit('/').next().unwrap_or_default().to_owned();
    let (chosen, set) = (query("artifact"), set_query());
    if file.is_dir {
        let inside = format!("{}/", file.path);
        let open = RwSignal::new(chosen.with_untracked(|c| c.starts_with(&inside)));
        let path = file.path.clone();
        return view! {
            <button type="button" class="entry" aria-expanded=move || open.get().to_string() on:click=move |_| open.update(|o| *o = !*o)>
                <span class="turn">{icon(Icon::Chevron)}</span>
                {icon(Icon::Folder)}
                <span class="clip">{name}</span>
            </button>
            <Show when=move || open.get()><Folder run stage path=path.clone()/></Show>
        }
        .into_any();
    }
    let (path, pressed) = (file.path.clone(), file.path);
    view! {
        <button
            type="button"
            class="entry"
            aria-pressed=move || chosen.with(|c| *c == pressed).to_string()
            on:click=move |_| set.run(vec![("artifact", path.clone())])
        >
            {icon(Icon::File)}
            <span class="clip">{name}</span>
            <small class="muted nums">{file.file_size.map(|n| format::bytes(n.max(0) as u64))}</small>
        </button>
    }
    .into_any()
}
