//! A form made from a model's signature.

use contract::profile::Bins;
use contract::{Datatype, Fault, Loc, Manifest, Profile};
use leptos::prelude::*;
use serde_json::{Map, Value};

/// One field of the form.
#[derive(Clone, Copy)]
pub struct Field {
    /// What it is.
    pub spec: StoredValue<Spec>,
    /// What was typed.
    pub text: RwSignal<String>,
}

/// A feature as a person fills it in.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Feature name.
    pub name: String,
    /// Element type.
    pub datatype: Datatype,
    /// What can be chosen, for a string.
    pub strings: Option<Vec<String>>,
}

/// All features of a manifest, in its order.
pub fn specs(manifest: &Manifest) -> Vec<Spec> {
    let of = |t: &contract::TensorSpec| {
        let (datatype, strings) = (t.datatype, t.strings.clone());
        t.element_names()
            .into_iter()
            .map(move |name| Spec { name, datatype, strings: strings.clone() })
            .collect::<Vec<_>>()
    };
    manifest.inputs.iter().flat_map(of).collect()
}

/// A typical value of each feature, as text: the middle of the training data.
pub fn typical(profile: &Profile, name: &str) -> Option<String> {
    let feature = profile.features.iter().find(|f| f.name == name)?;
    let total: u64 = feature.counts.iter().sum();
    if total == 0 {
        return None;
    }
    match &feature.bins {
        Bins::Categories(names) => {
            let most = feature.counts.iter().enumerate().max_by_key(|(i, n)| (**n, usize::MAX - i))?.0;
            names.get(most).cloned()
        }
        Bins::Edges(edges) => {
            let mut seen = 0;
            let bin = feature.counts.iter().position(|n| {
                seen += n;
                seen * 2 >= total
            })?;
            // The edges are values of the data, so the lower one is a value that was seen.
            let value = edges.get(bin.saturating_sub(1)).or(edges.last())?;
            Some(crate::format::significant(*value, 4))
        }
    }
}

/// The record that the texts stand for. Nothing typed is a missing value (`null`); what cannot be
/// read stays text, so that the model's own check names the fault.
pub fn record<'a>(fields: impl Iterator<Item = (&'a Spec, &'a str)>) -> Map<String, Value> {
    let value = |spec: &Spec, text: &str| match spec.datatype {
        _ if text.is_empty() => Value::Null,
        Datatype::Bytes => Value::from(text),
        Datatype::Bool => text.parse::<bool>().map_or(Value::from(text), Value::from),
        kind if kind.is_float() => text.parse::<f64>().map_or(Value::from(text), Value::from),
        _ => {
            text.parse::<i64>().map_or_else(|_| text.parse::<f64>().map_or(Value::from(text), Value::from), Value::from)
        }
    };
    fields.map(|(spec, text)| (spec.name.clone(), value(spec, text))).collect()
}

/// The fault that speaks of feature `name`.
pub fn fault_of<'a>(faults: &'a [Fault], name: &str) -> Option<&'a Fault> {
    faults.iter().find(|fault| matches!(fault.loc.last(), Some(Loc::Name(last)) if last == name))
}

/// One field with its label, and its fault below.
#[component]
pub fn FieldRow(field: Field, #[prop(into)] faults: Signal<Vec<Fault>>) -> impl IntoView {
    let Spec { name, datatype, strings } = field.spec.get_value();
    let fault = {
        let name = name.clone();
        Memo::new(move |_| faults.with(|faults| fault_of(faults, &name).map(|f| f.msg.clone())))
    };
    let invalid = move || fault.with(Option::is_some).to_string();
    let choices = strings.or_else(|| (datatype == Datatype::Bool).then(|| vec!["false".to_owned(), "true".to_owned()]));
    let set = move |event| field.text.set(event_target_value(&event));
    let control = match choices {
        Some(choices) => {
            let options =
                choices.into_iter().map(|choice| view! { <option value=choice.clone()>{choice.clone()}</option> });
            view! {
                <select aria-invalid=invalid prop:value=field.text on:change=set>
                    <option value="">"missing"</option>
                    {options.collect_view()}
                </select>
            }
            .into_any()
        }
        None if datatype == Datatype::Bytes => {
            view! { <input type="text" aria-invalid=invalid prop:value=field.text on:input=set placeholder="missing"/> }
                .into_any()
        }
        None => view! {
            <input
                type="number" step="any" inputmode="decimal" aria-invalid=invalid
                prop:value=field.text on:input=set placeholder="missing"
            />
        }
        .into_any(),
    };
    view! {
        <label class="field">
            <span class="clip">{name}</span>
            {control}
            <small class="fault" role="status">{fault}</small>
        </label>
    }
}

#[cfg(test)]
mod tests {
    use contract::profile::Reference;

    use super::*;

    #[test]
    fn what_is_typed_becomes_a_record() {
        let spec = |datatype| Spec { name: "x".to_owned(), datatype, strings: None };
        let check = |datatype, text, expected: Value| {
            assert_eq!(record([(&spec(datatype), text)].into_iter())["x"], expected, "{text}");
        };
        check(Datatype::Fp32, "9.4", 9.4.into());
        check(Datatype::Fp32, "", Value::Null);
        check(Datatype::Int64, "7", 7.into());
        check(Datatype::Int64, "7.5", 7.5.into());
        check(Datatype::Bytes, "7", "7".into());
        check(Datatype::Bool, "true", true.into());
        check(Datatype::Fp32, "abc", "abc".into());
    }

    #[test]
    fn a_typical_value_lies_in_the_middle() {
        let reference = |name: &str, bins, counts: &[u64]| Reference {
            name: name.to_owned(),
            bins,
            counts: counts.to_vec(),
            missing: 0,
        };
        let profile = Profile {
            features: vec![
                reference("a", Bins::Edges(vec![1.0, 2.0, 3.0]), &[10, 10, 40, 10]),
                reference("b", Bins::Categories(vec!["red".to_owned(), "blue".to_owned()]), &[1, 5]),
            ],
            ..Default::default()
        };
        assert_eq!(typical(&profile, "a").as_deref(), Some("2"));
        assert_eq!(typical(&profile, "b").as_deref(), Some("blue"));
        assert_eq!(typical(&profile, "c"), None);
    }
}
