//! What a module weighs and what a prediction costs.

use contract::api::ModuleInfo;
use leptos::prelude::*;

use crate::format;
use crate::ui::CopyButton;

/// Size, operations, memory and identity of a module.
#[component]
pub fn ModuleFacts(module: ModuleInfo) -> impl IntoView {
    let cost = module.manifest.cost;
    let fact = |label: &'static str, value: String| view! { <div><dt>{label}</dt><dd class="nums">{value}</dd></div> };
    view! {
        <dl class="facts">
            {fact("Module", format::bytes(module.bytes))}
            {fact("Operations per row", format::compact(cost.flops_per_row as f64))}
            {fact("Memory", format::bytes(cost.memory_bytes))}
            {fact("Code", format::bytes(cost.code_bytes))}
            {fact("Weights", format::bytes(cost.data_bytes))}
            {fact("Rows per call", format::count(u64::from(module.manifest.rows_max)))}
        </dl>
        <p class="hash">
            <span class="muted">"sha256"</span>
            <code class="clip">{module.sha256.clone()}</code>
            <CopyButton text=module.sha256 what="the sha256"/>
        </p>
    }
}
