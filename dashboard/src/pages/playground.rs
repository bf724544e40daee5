//! The model asked twice: on this device, and on the server.

use std::rc::Rc;

use contract::api::ModelDetail;
use contract::{Fault, Manifest};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::A;
use serde_json::{Map, Value};

use super::param;
use crate::components::answer::{answer, same};
use crate::components::fields::{Field, FieldRow, Spec, fault_of, record, specs, typical};
use crate::components::model_head::ModelHead;
use crate::device::{Device, Outcome};
use crate::live::{live, loaded, once};
use crate::ui::{Icon, Tone, badge, icon, skeleton_cards};
use crate::{api, format, routes};

/// More features than this are given as JSON.
const FIELDS_MAX: usize = 60;

/// A form from the signature of the champion, and both answers beside each other.
#[component]
pub fn PlaygroundPage() -> impl IntoView {
    let name = param("name");
    let model = live(move || name.get(), once(), |name| async move { api::model(&name).await });
    let body = loaded(
        model,
        || skeleton_cards(2),
        |model: Signal<ModelDetail>| {
            let model = model.get_untracked();
            let champion = model.versions.iter().find(|v| v.version.aliases.iter().any(|a| a == "champion"));
            match champion.and_then(|v| v.module.clone()) {
                Some(module) => view! { <Ask name=model.name.clone() manifest=module.manifest/> }.into_any(),
                None => {
                    let text = if champion.is_some() {
                        "The champion has no module that can run here."
                    } else {
                        "No version is champion, so nothing answers for this model."
                    };
                    view! {
                        <div class="empty">
                            <span class="empty-sign">{icon(Icon::Star)}</span>
                            <h2>"Nothing to ask yet"</h2>
                            <p>{text}</p>
                            <A href=routes::model(&model.name) attr:class="button">"Choose a champion"</A>
                        </div>
                    }
                    .into_any()
                }
            }
        },
    );
    view! {
        <ModelHead name/>
        {body}
    }
}

#[derive(Clone, PartialEq)]
enum Server {
    Answer { answer: Value, us: f64 },
    Refused { error: String, faults: Vec<Fault> },
}

#[component]
fn Ask(name: String, manifest: Manifest) -> impl IntoView {
    let fields: Vec<Field> = specs(&manifest)
        .into_iter()
        .map(|spec| Field { spec: StoredValue::new(spec), text: RwSignal::new(String::new()) })
        .collect();
    let wide = fields.len() > FIELDS_MAX;
    let fields = StoredValue::new(fields);
    let json = RwSignal::new(String::new());
    let json_fault = RwSignal::new(None::<String>);
    let device = StoredValue::new_local(None::<Rc<Device>>);
    let loading = RwSignal::new(None::<Result<(), String>>);
    let here = RwSignal::new(None::<Outcome>);
    let there = RwSignal::new(None::<Server>);
    let asking = RwSignal::new(false);
    let current = move || -> Map<String, Value> {
        let typed: Vec<(Spec, String)> =
            fields.with_value(|f| f.iter().map(|f| (f.spec.get_value(), f.text.get_untracked())).collect());
        record(typed.iter().map(|(spec, text)| (spec, text.as_str())))
    };
    let opened = name.clone();
    spawn_local(async move {
        let result = Device::open(&opened).await;
        if loading.try_get_untracked().is_none() {
            return; // The page was left.
        }
        if let Ok(device) = &result
            && let Some(profile) = device.profile()
        {
            for field in fields.get_value() {
                let value = field.spec.with_value(|spec| typical(&profile, &spec.name));
                if field.text.with_untracked(String::is_empty) {
                    field.text.set(value.unwrap_or_default());
                }
            }
        }
        if wide {
            json.set(serde_json::to_string_pretty(&current()).unwrap_or_default());
        }
        loading.set(Some(result.map(|opened| device.set_value(Some(Rc::new(opened))))));
    });
    let asked = name.clone();
    let ask = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let record = if wide {
            match serde_json::from_str::<Map<String, Value>>(&json.get_untracked()) {
                Ok(record) => record,
                Err(error) => return json_fault.set(Some(format!("This is not a JSON object: {error}"))),
            }
        } else {
            current()
        };
        json_fault.set(None);
        asking.set(true);
        let name = asked.clone();
        let local = device.with_value(Option::clone);
        spawn_local(async move {
            if let Some(local) = local {
                let outcome = local.predict(&record).await;
                here.try_set(Some(outcome));
            }
            let start = now_us();
            let answer = api::predict(&name, &record).await;
            let us = now_us() - start;
            there.try_set(Some(match answer {
                Ok(answer) => Server::Answer { answer, us },
                Err(api::Error::Api { message, faults, .. }) => Server::Refused { error: message, faults },
                Err(error) => Server::Refused { error: error.help(), faults: vec![] },
            }));
            asking.try_set(false);
        });
    };
    let faults = Memo::new(move |_| {
        let from_server = there.with(|t| match t {
            Some(Server::Refused { faults, .. }) => faults.clone(),
            _ => vec![],
        });
        match here.get() {
            _ if !from_server.is_empty() => from_server,
            Some(Outcome::Refused { faults, .. }) => faults,
            _ => vec![],
        }
    });
    // Faults that no field of the form can show.
    let others = move || {
        let shown: Vec<String> =
            fields.with_value(|f| f.iter().map(|f| f.spec.with_value(|s| s.name.clone())).collect());
        faults.with(|faults| {
            let of_field =
                |fault: &Fault| !wide && shown.iter().any(|name| fault_of(std::slice::from_ref(fault), name).is_some());
            faults.iter().filter(|f| !of_field(f)).map(|f| view! { <li>{f.to_string()}</li> }).collect_view()
        })
    };
    let form = if wide {
        view! {
            <label class="field whole">
                <span>"Record, as JSON"</span>
                <textarea rows="16" class="mono" spellcheck="false" prop:value=json on:input=move |e| json.set(event_target_value(&e))></textarea>
            </label>
        }
        .into_any()
    } else {
        let rows = fields.get_value().into_iter().map(|field| view! { <FieldRow field faults/> });
        view! { <div class="fields">{rows.collect_view()}</div> }.into_any()
    };
    let state = move || match loading.get() {
        None => badge(Tone::Busy, "loading the module").into_any(),
        Some(Ok(())) => badge(Tone::Good, "runs on this device").into_any(),
        Some(Err(_)) => badge(Tone::Bad, "does not run here").into_any(),
    };
    let verdict = move || match (here.get(), there.get()) {
        (Some(Outcome::Answer { answer: a, .. }), Some(Server::Answer { answer: b, .. })) => {
            if same(&a, &b) {
                view! { <p class="verdict good">{icon(Icon::Check)}"Both answers are the same, to the last bit."</p> }
                    .into_any()
            } else {
                view! { <p class="verdict bad">{icon(Icon::Warning)}"The answers differ. Has the champion just changed? Reload the page to load its module."</p> }.into_any()
            }
        }
        _ => view! { <p class="verdict quiet">"Both answers are compared here, to the last bit."</p> }.into_any(),
    };
    let on_device = move || {
        match (here.get(), loading.get()) {
        (_, Some(Err(error))) => view! { <p class="note bad">{error}</p> }.into_any(),
        (Some(Outcome::Answer { answer: value, us, runs }), _) => view! {
            <p class="took"><b class="nums">{format::micros(us)}</b><span class="muted">{format!("for one prediction, mean of {}", format::count(runs))}</span></p>
            {answer(&value)}
        }
        .into_any(),
        (Some(Outcome::Refused { error, .. }), _) => view! { <p class="note bad">{error}</p> }.into_any(),
        _ => view! { <p class="none">"Press Predict: the answer is computed in this tab."</p> }.into_any(),
    }
    };
    let on_server = move || match there.get() {
        Some(Server::Answer { answer: value, us }) => view! {
            <p class="took"><b class="nums">{format::micros(us)}</b><span class="muted">"there and back"</span></p>
            {answer(&value)}
        }
        .into_any(),
        Some(Server::Refused { error, faults }) => {
            let text = if faults.is_empty() {
                error
            } else {
                format!("{} fault{} in this request.", faults.len(), if faults.len() == 1 { "" } else { "s" })
            };
            view! { <p class="note bad">{text}</p> }.into_any()
        }
        None => view! { <p class="none">"The same request goes to the server."</p> }.into_any(),
    };
    view! {
        <div class="columns playground">
            <form class="card panel" on:submit=ask>
                <div class="section-head"><h2>"Input"</h2>{state}</div>
                {form}
                <p class="fault" role="alert">{move || json_fault.get()}</p>
                <ul class="fault-list">{others}</ul>
                <button class="button primary" type="submit" disabled=move || asking.get() || loading.with(Option::is_none)>
                    {icon(Icon::Play)}"Predict"
                </button>
            </form>
            <div class="stack answers" aria-live="polite">
                <div class="verdict-place">{verdict}</div>
                <section class="card panel result"><h2>"On this device"</h2>{on_device}</section>
                <section class="card panel result"><h2>"On the server"</h2>{on_server}</section>
            </div>
        </div>
    }
}

fn now_us() -> f64 {
    window().performance().map_or(0.0, |p| p.now() * 1_000.0)
}
