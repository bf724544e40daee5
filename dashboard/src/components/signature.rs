//! What a model takes and gives.

use contract::{Manifest, TensorSpec};
use leptos::prelude::*;

/// Elements of a wide tensor that are named one by one.
const NAMED: usize = 40;

/// Inputs and outputs of a module.
#[component]
pub fn Signature(manifest: Manifest) -> impl IntoView {
    view! {
        <div class="signature">
            <div><h4>"Inputs"</h4>{tensors(&manifest.inputs)}</div>
            <div><h4>"Outputs"</h4>{tensors(&manifest.outputs)}</div>
        </div>
    }
}

fn tensors(specs: &[TensorSpec]) -> impl IntoView + use<> {
    let lines = specs.iter().map(|spec| {
        let shape = spec.shape.iter().map(|d| if *d < 0 { "N".to_owned() } else { d.to_string() });
        let shape = shape.collect::<Vec<_>>().join(" × ");
        let values = match (&spec.strings, &spec.columns) {
            (Some(strings), _) => listed(strings),
            (None, Some(columns)) => listed(columns),
            (None, None) => String::new(),
        };
        view! {
            <tr>
                <th scope="row">{spec.name.clone()}</th>
                <td class="mono">{spec.datatype.name()}</td>
                <td class="mono nowrap">{shape}</td>
                <td class="muted">{values}</td>
            </tr>
        }
    });
    view! {
        <div class="scroll">
            <table class="tight"><tbody>{lines.collect_view()}</tbody></table>
        </div>
    }
}

fn listed(names: &[String]) -> String {
    let mut text = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        text.push_str(&format!(" and {} more", names.len() - NAMED));
    }
    text
}
