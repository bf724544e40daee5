//! Operators of an ONNX file: what compiles, what does not, and what would help.

use contract::api::OperatorReport;
use leptos::prelude::*;

use crate::format;
use crate::ui::{Tone, badge};

/// One line for each kind of operator; what does not compile comes first.
#[component]
pub fn Operators(operators: Vec<OperatorReport>) -> impl IntoView {
    let mut operators = operators;
    operators.sort_by(|a, b| (a.supported, &a.op).cmp(&(b.supported, &b.op)));
    let rows = operators.into_iter().map(|o| {
        let state = if o.supported { badge(Tone::Good, "compiles") } else { badge(Tone::Bad, "not yet") };
        let domain = if o.domain.is_empty() { "ai.onnx".to_owned() } else { o.domain };
        let note = o.help.unwrap_or_else(|| o.examples.join(", "));
        view! {
            <tr>
                <th scope="row">{o.op}<small class="muted">" "{domain}</small></th>
                <td>{state}</td>
                <td class="num">{format::count(o.nodes)}</td>
                <td class="muted">{note}</td>
            </tr>
        }
    });
    view! {
        <div class="card scroll">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Operator"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" class="num">"Nodes"</th>
                        <th scope="col">"Where, or what would help"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}
