//! Bring your own: drop an ONNX file, see what it compiles to.

use contract::api::CompileReport;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use crate::components::cost::ModuleFacts;
use crate::components::operators::Operators;
use crate::components::signature::Signature;
use crate::ui::{Icon, PageHead, Stat, Tone, badge, failure, icon, skeleton_rows};
use crate::{api, format};

#[derive(Clone)]
enum State {
    Waiting,
    Compiling(String),
    Failed(api::Error),
    Done(String, Box<CompileReport>),
}

/// A place to drop a file; the report below it.
#[component]
pub fn CompilePage() -> impl IntoView {
    let state = RwSignal::new(State::Waiting);
    let over = RwSignal::new(false);
    let picker = NodeRef::<Input>::new();
    let take = move |file: web_sys::File| {
        let name = file.name();
        state.set(State::Compiling(name.clone()));
        spawn_local(async move {
            let Ok(buffer) = JsFuture::from(file.array_buffer()).await else {
                let error = api::Error::Decode("the file could not be read; it may have been moved".to_owned());
                state.try_set(State::Failed(error));
                return;
            };
            state.try_set(match api::compile(js_sys::Uint8Array::new(&buffer)).await {
                Ok(report) => State::Done(name, Box::new(report)),
                Err(error) => State::Failed(error),
            });
        });
    };
    let dropped = move |event: web_sys::DragEvent| {
        event.prevent_default();
        over.set(false);
        if let Some(file) = event.data_transfer().and_then(|d| d.files()).and_then(|f| f.get(0)) {
            take(file);
        }
    };
    let picked = move |_| {
        let Some(input) = picker.get_untracked() else { return };
        if let Some(file) = input.files().and_then(|f| f.get(0)) {
            take(file);
        }
        input.set_value(""); // so that the same file can be chosen again
    };
    let report = move || match state.get() {
        State::Waiting => ().into_any(),
        State::Compiling(name) => view! {
            <p class="muted">{format!("Compiling {name} …")}</p>
            {skeleton_rows(5)}
        }
        .into_any(),
        State::Failed(error) => failure(&error, None).into_any(),
        State::Done(name, report) => show(name, *report).into_any(),
    };
    view! {
        <PageHead
            title="Compile a model".to_owned()
            text="One ONNX file becomes one WebAssembly module that gives the same answer in a browser, at the edge and on a server.".to_owned()
        />
        <label
            class="drop"
            class:over=over
            on:dragover=move |event| { event.prevent_default(); over.set(true); }
            on:dragleave=move |_| over.set(false)
            on:drop=dropped
        >
            <input type="file" accept=".onnx" node_ref=picker on:change=picked/>
            <span class="empty-sign">{icon(Icon::Upload)}</span>
            <b>"Drop an ONNX file here, or choose one"</b>
            <small class="muted">"From scikit-learn (skl2onnx), PyTorch, XGBoost, LightGBM … The server compiles it and keeps no copy of the ONNX file."</small>
        </label>
        {report}
    }
}

fn show(name: String, report: CompileReport) -> impl IntoView {
    let CompileReport { operators, module, error, compile_ms, onnx_bytes } = report;
    let all = operators.iter().map(|o| o.nodes).sum::<u64>();
    let missing = operators.iter().filter(|o| !o.supported).count();
    let state = if module.is_some() { badge(Tone::Good, "compiles") } else { badge(Tone::Bad, "does not compile") };
    let file = format!("{}.wasm", name.strip_suffix(".onnx").unwrap_or(&name));
    let size = module.as_ref().map_or_else(|| "–".to_owned(), |m| format::bytes(m.bytes));
    let ratio = module.as_ref().map(|m| format!("{} of the ONNX file", share(m.bytes, onnx_bytes)));
    let kinds = format!("{} kinds", operators.len());
    let note = if missing == 0 { kinds } else { format!("{kinds}, {missing} not supported") };
    let inside = module.map(|module| {
        let (manifest, href) = (module.manifest.clone(), api::url(&module.url));
        view! {
            <section class="card panel">
                <div class="section-head">
                    <h2>"Module"</h2>
                    <a class="button primary" href=href download=file>{icon(Icon::Download)}"Download .wasm"</a>
                </div>
                <ModuleFacts module/>
                <Signature manifest/>
            </section>
        }
    });
    view! {
        <div class="section-head"><h2 class="clip">{name}</h2>{state}</div>
        <div class="card stats">
            <Stat label="ONNX file" value=format::bytes(onnx_bytes)/>
            <Stat label="Module" value=size note=Signal::derive(move || ratio.clone())/>
            <Stat label="Compiled in" value=format::micros(compile_ms * 1_000.0)/>
            <Stat label="Nodes" value=format::count(all) note=note/>
        </div>
        {error.map(|error| view! { <p class="note bad" role="alert">{error}</p> })}
        {inside}
        <section class="stack">
            <h2>"Operators"</h2>
            <Operators operators/>
        </section>
    }
}

fn share(module: u64, onnx: u64) -> String {
    if onnx == 0 {
        "–".to_owned()
    } else {
        format!("{} %", format::significant(module as f64 / onnx as f64 * 100.0, 2))
    }
}
