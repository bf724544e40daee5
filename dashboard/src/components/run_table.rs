//! Runs of an experiment: sorted by any column, ticked to be compared.

use contract::mlflow::Run;
use leptos::prelude::*;
use leptos_router::components::A;

use super::run_columns::Column;
use super::run_list::{lasted, name};
use super::status::run_status;
use crate::clock::Ago;
use crate::ui::{Icon, icon};
use crate::{format, routes};

/// A table of runs; sorting is the server's work.
#[component]
pub fn RunTable(
    #[prop(into)] runs: Signal<Vec<Run>>,
    #[prop(into)] columns: Signal<Vec<Column>>,
    /// MLflow's name of the sorted column and whether it descends.
    #[prop(into)]
    sort: Signal<(String, bool)>,
    on_sort: Callback<(String, bool)>,
    #[prop(into)] selected: Signal<Vec<String>>,
    on_select: Callback<String>,
) -> impl IntoView {
    let heading = move |text: String, key: String, class: &'static str| {
        let (shown, clicked) = (key.clone(), key);
        let state = move || sort.with(|(by, descends)| (*by == shown).then_some(*descends));
        let aria = {
            let state = state.clone();
            move || match state() {
                Some(true) => "descending",
                Some(false) => "ascending",
                None => "none",
            }
        };
        view! {
            <th scope="col" class=class aria-sort=aria>
                <button
                    type="button"
                    on:click=move |_| {
                        let descends = sort.with_untracked(|(by, d)| if *by == clicked { !d } else { true });
                        on_sort.run((clicked.clone(), descends));
                    }
                >
                    {text}
                    <span class="sort-sign">
                        {move || state().map(|d| icon(if d { Icon::ArrowDown } else { Icon::ArrowUp }))}
                    </span>
                </button>
            </th>
        }
    };
    let extra = move || {
        let columns = columns.get();
        columns
            .into_iter()
            .map(|c| heading(c.key.clone(), c.order_key(), if c.metric { "num" } else { "" }))
            .collect_view()
    };
    view! {
        <div class="card scroll">
            <table class="runs">
                <thead>
                    <tr>
                        <th scope="col" class="tick-cell"><span class="hidden">"Compare"</span></th>
                        {heading("Run".to_owned(), "attributes.run_name".to_owned(), "")}
                        {heading("Status".to_owned(), "attributes.status".to_owned(), "")}
                        {heading("Started".to_owned(), "attributes.start_time".to_owned(), "")}
                        <th scope="col" class="num">"Duration"</th>
                        {extra}
                    </tr>
                </thead>
                <tbody>
                    <For each=move || runs.get() key=|run| run.clone_key() let:run>
                        <RunRow run columns selected on_select/>
                    </For>
                </tbody>
            </table>
        </div>
    }
}

/// What a row shows; a row is drawn anew when this changes.
trait RowKey {
    fn clone_key(&self) -> String;
}

impl RowKey for Run {
    fn clone_key(&self) -> String {
        let last = self.data.metrics.iter().fold(0u64, |sum, m| sum.rotate_left(7) ^ m.value.to_bits() ^ m.step as u64);
        let info = &self.info;
        format!("{} {} {} {} {last}", info.run_id, info.status, info.run_name, self.data.params.len())
    }
}

#[component]
fn RunRow(
    run: Run,
    columns: Signal<Vec<Column>>,
    selected: Signal<Vec<String>>,
    on_select: Callback<String>,
) -> impl IntoView {
    let id = run.info.run_id.clone();
    let is_selected = {
        let id = id.clone();
        Signal::derive(move || selected.with(|s| s.contains(&id)))
    };
    let run_name = name(&run.info.run_name);
    let duration = lasted(&run.info);
    let cells = {
        let data = run.data.clone();
        move || {
            let cell = |c: Column| {
                let text = if c.metric {
                    data.metrics.iter().find(|m| m.key == c.key).map(|m| format::number(m.value))
                } else {
                    data.params.iter().find(|p| p.key == c.key).map(|p| p.value.clone())
                };
                let class = if c.metric { "num" } else { "clip" };
                let text = text.unwrap_or_else(|| "–".to_owned());
                view! { <td class=class title=text.clone()>{text.clone()}</td> }
            };
            columns.get().into_iter().map(cell).collect_view()
        }
    };
    view! {
        <tr class:selected=is_selected>
            <td class="tick-cell">
                <input
                    type="checkbox"
                    aria-label=format!("Compare {run_name}")
                    prop:checked=is_selected
                    on:change={
                        let id = id.clone();
                        move |_| on_select.run(id.clone())
                    }
                />
            </td>
            <th scope="row"><A href=routes::run(&id)>{run_name.clone()}</A></th>
            <td>{run_status(&run.info.status)}</td>
            <td class="muted nowrap"><Ago at=run.info.start_time/></td>
            <td class="num nowrap">{duration}</td>
            {cells}
        </tr>
    }
}
