//! Which metrics and parameters a table of runs shows.

use std::collections::{BTreeMap, BTreeSet};

use contract::mlflow::Run;
use leptos::prelude::*;

use crate::ui::{Icon, icon};

/// A column, as the URL spells it: `m:auc` or `p:depth`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column {
    /// True for a metric, false for a parameter.
    pub metric: bool,
    /// Name of the metric or parameter.
    pub key: String,
}

impl Column {
    /// The form in the URL; commas separate columns there, so they are escaped.
    pub fn code(&self) -> String {
        format!("{}:{}", if self.metric { "m" } else { "p" }, self.key.replace('%', "%25").replace(',', "%2C"))
    }

    /// Reads the form in the URL.
    pub fn parse(code: &str) -> Option<Column> {
        let (kind, key) = code.split_once(':')?;
        let key = key.replace("%2C", ",").replace("%25", "%");
        ["m", "p"].contains(&kind).then(|| Column { metric: kind == "m", key })
    }

    /// MLflow's name of it in `order_by`, quoted.
    pub fn order_key(&self) -> String {
        format!("{}.`{}`", if self.metric { "metrics" } else { "params" }, self.key)
    }
}

/// All columns that `runs` offer: metrics, then parameters, first those in which the runs differ.
pub fn offered(runs: &[Run]) -> Vec<Column> {
    let metrics: BTreeSet<&str> = runs.iter().flat_map(|r| &r.data.metrics).map(|m| m.key.as_str()).collect();
    let mut params: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for param in runs.iter().flat_map(|r| &r.data.params) {
        params.entry(&param.key).or_default().insert(&param.value);
    }
    // What tells runs apart comes first, digests and the like last.
    let mut params: Vec<_> = params.into_iter().collect();
    params.sort_by_key(|(_, values)| (values.iter().any(|v| v.len() > 32), values.len() < 2));
    let params = params.into_iter().map(|(key, _)| key);
    let column = |metric| move |key: &str| Column { metric, key: key.to_owned() };
    metrics.into_iter().map(column(true)).chain(params.map(column(false))).collect()
}

/// The columns that the URL names, else the first few: held-out metrics before others.
pub fn chosen(code: &str, offered: &[Column]) -> Vec<Column> {
    if !code.is_empty() {
        return code.split(',').filter_map(Column::parse).collect();
    }
    let mut metrics: Vec<&Column> = offered.iter().filter(|c| c.metric).collect();
    metrics.sort_by_key(|c| !c.key.starts_with("test"));
    let params = offered.iter().filter(|c| !c.metric).take(3);
    metrics.into_iter().take(5).chain(params).cloned().collect()
}

/// A list of all columns to tick.
#[component]
pub fn ColumnPicker(
    #[prop(into)] offered: Signal<Vec<Column>>,
    #[prop(into)] chosen: Signal<Vec<Column>>,
    on_choose: Callback<Vec<Column>>,
) -> impl IntoView {
    let tick = move |column: Column| {
        let mut columns = chosen.get_untracked();
        match columns.iter().position(|c| *c == column) {
            Some(at) => drop(columns.remove(at)),
            None => columns.push(column),
        }
        on_choose.run(columns);
    };
    view! {
        <details class="menu">
            <summary class="button">{icon(Icon::Columns)}"Columns"</summary>
            <div class="menu-body">
                <For each=move || offered.get() key=|column| column.clone() let:column>
                    <label class="check">
                        <input
                            type="checkbox"
                            prop:checked={
                                let column = column.clone();
                                move || chosen.with(|c| c.contains(&column))
                            }
                            on:change={
                                let column = column.clone();
                                move |_| tick(column.clone())
                            }
                        />
                        <span>{column.key.clone()}</span>
                        <small class="muted">{if column.metric { "metric" } else { "parameter" }}</small>
                    </label>
                </For>
            </div>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_survive_the_url() {
        for key in ["auc", "a,b", "50%", "m:x", "%2C"] {
            let column = Column { metric: true, key: key.to_owned() };
            assert_eq!(Column::parse(&column.code()), Some(column));
        }
        assert_eq!(Column::parse("x:auc"), None);
    }

    #[test]
    fn held_out_metrics_come_first() {
        let column = |metric, key: &str| Column { metric, key: key.to_owned() };
        let offered: Vec<Column> = ["a", "b", "c", "d", "e", "test_auc"]
            .map(|k| column(true, k))
            .into_iter()
            .chain([column(false, "p")])
            .collect();
        let keys: Vec<String> = chosen("", &offered).into_iter().map(|c| c.key).collect();
        assert_eq!(keys, ["test_auc", "a", "b", "c", "d", "p"]);
        assert_eq!(chosen("p:p", &offered), [column(false, "p")]);
    }
}
