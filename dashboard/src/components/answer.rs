//! What a model answered.

use leptos::prelude::*;
use serde_json::Value;

use crate::format;

/// An answer for one record: a line for each output, bars for the probabilities of classes.
pub fn answer(value: &Value) -> impl IntoView + use<> {
    let Value::Object(outputs) = value else {
        return view! { <pre>{value.to_string()}</pre> }.into_any();
    };
    let one = |(name, value): (&String, &Value)| {
        let shown = match value {
            Value::Object(parts) => shares(parts.iter().map(|(label, part)| (label.clone(), part))).into_any(),
            Value::Array(items) if is_distribution(items) => {
                shares(items.iter().enumerate().map(|(i, part)| (format!("class {i}"), part))).into_any()
            }
            Value::Array(items) => {
                let text = items.iter().map(plain).collect::<Vec<_>>().join(", ");
                view! { <p class="mono wrap">{text}</p> }.into_any()
            }
            other => view! { <p class="big nums">{plain(other)}</p> }.into_any(),
        };
        view! { <div class="output"><span class="stat-label">{name.clone()}</span>{shown}</div> }
    };
    view! { <div class="outputs">{outputs.iter().map(one).collect_view()}</div> }.into_any()
}

/// A bar for each part.
fn shares<'a>(parts: impl Iterator<Item = (String, &'a Value)>) -> impl IntoView {
    let bars = parts.map(|(label, part)| {
        let share = part.as_f64().unwrap_or(0.0).clamp(0.0, 1.0);
        view! {
            <li>
                <span class="clip">{label}</span>
                <span class="meter"><i style:width=format!("{:.1}%", share * 100.0)></i></span>
                <b class="nums">{plain(part)}</b>
            </li>
        }
    });
    view! { <ul class="shares">{bars.collect_view()}</ul> }
}

/// Whether numbers are probabilities of a few classes that a model left without names.
fn is_distribution(items: &[Value]) -> bool {
    let parts: Option<Vec<f64>> = items.iter().map(Value::as_f64).collect();
    parts.is_some_and(|p| {
        (2..=20).contains(&p.len())
            && p.iter().all(|v| (0.0..=1.0).contains(v))
            && (p.iter().sum::<f64>() - 1.0).abs() < 1e-3
    })
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "missing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), |v| format::significant(v, 7)),
        other => other.to_string(),
    }
}

/// Whether two answers are the same, number by number to the last bit; `1` and `1.0` are one number.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn probabilities_without_names() {
        let check =
            |value: Value, expected| assert_eq!(is_distribution(value.as_array().unwrap()), expected, "{value}");
        check(json!([0.25, 0.75]), true);
        check(json!([0.25, 0.25]), false);
        check(json!([1.0]), false);
        check(json!([2.0, -1.0]), false);
    }

    #[test]
    fn sameness_is_of_numbers_not_of_spelling() {
        assert!(same(&json!({"p": [1, 0.25], "c": "a"}), &json!({"c": "a", "p": [1.0, 0.25]})));
        assert!(!same(&json!({"p": 0.1}), &json!({"p": 0.10000000000000002})));
        assert!(!same(&json!({"p": 0.1}), &json!({"p": 0.1, "q": 1})));
    }
}
