//! Sums by version, origin and host.

use contract::api::Total;
use leptos::prelude::*;

use super::origin::origin_color;
use crate::charts::cursor::color;
use crate::format;

/// One line for each version, origin and host.
#[component]
pub fn Totals(#[prop(into)] totals: Signal<Vec<Total>>) -> impl IntoView {
    let rows = move || {
        totals.with(|totals| {
            let row = |total: &Total| {
                let latency = |pick: fn(&contract::api::Percentiles) -> f64| match &total.latency {
                    Some(latency) => format::micros(pick(latency)),
                    None => "not measurable".to_owned(),
                };
                view! {
                    <tr>
                        <th scope="row" class=color(origin_color(total.origin))>
                            <i class="swatch"></i>{total.origin.name()}
                            <small class="muted">" "{total.host.clone()}</small>
                        </th>
                        <td>"v"{total.version.clone()}</td>
                        <td class="num">{format::count(total.predictions)}</td>
                        <td class="num" class:bad-text=total.errors != 0>{format::count(total.errors)}</td>
                        <td class="num">{latency(|l| l.p50_us)}</td>
                        <td class="num">{latency(|l| l.p90_us)}</td>
                        <td class="num">{latency(|l| l.p99_us)}</td>
                    </tr>
                }
            };
            totals.iter().map(row).collect_view()
        })
    };
    view! {
        <div class="card scroll">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Origin"</th>
                        <th scope="col">"Version"</th>
                        <th scope="col" class="num">"Predictions"</th>
                        <th scope="col" class="num">"Errors"</th>
                        <th scope="col" class="num">"p50"</th>
                        <th scope="col" class="num">"p90"</th>
                        <th scope="col" class="num">"p99"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
