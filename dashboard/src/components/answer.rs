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
            Value::Object(parts) => {
                let bars = parts.iter().map(|(label, part)| {
                    let share = part.as_f64().unwrap_or(0.0).clamp(0.0, 1.0);
                    view! {
                        <li>
                            <span class="clip">{label.clone()}</span>
                            <span class="meter"><i style:width=format!("{:.1}%", share * 100.0)></i></span>
                            <b class="nums">{plain(part)}</b>
                        </li>
                    }
                });
                view! { <ul class="shares">{bars.collect_view()}</ul> }.into_any()
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
    fn sameness_is_of_numbers_not_of_spelling() {
        assert!(same(&json!({"p": [1, 0.25], "c": "a"}), &json!({"c": "a", "p": [1.0, 0.25]})));
        assert!(!same(&json!({"p": 0.1}), &json!({"p": 0.10000000000000002})));
        assert!(!same(&json!({"p": 0.1}), &json!({"p": 0.1, "q": 1})));
    }
}
