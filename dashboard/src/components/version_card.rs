//! One version of a registered model.

use contract::api::VersionDetail;
use leptos::prelude::*;
use leptos_router::components::A;

use super::cost::ModuleFacts;
use super::signature::Signature;
use crate::clock::Ago;
use crate::ui::{Icon, Tone, badge, icon};
use crate::{api, format, routes};

/// Aliases, metrics, module and signature; a button that makes the version champion.
#[component]
pub fn VersionCard(detail: VersionDetail, on_champion: Callback<String>) -> impl IntoView {
    let VersionDetail { version, module, error, metrics } = detail;
    let number = version.version.clone();
    let is_champion = version.aliases.iter().any(|a| a == "champion");
    let aliases = version
        .aliases
        .iter()
        .map(|alias| badge(if alias == "champion" { Tone::Accent } else { Tone::Quiet }, alias.clone()));
    let aliases = aliases.collect_view();
    let asked = RwSignal::new(false);
    let make = {
        let number = number.clone();
        move |_| {
            if asked.get_untracked() {
                asked.set(false);
                on_champion.run(number.clone());
            } else {
                asked.set(true);
            }
        }
    };
    let question = {
        let number = number.clone();
        move || {
            if asked.get() { format!("Yes, serve version {number} from now on") } else { "Make champion".to_owned() }
        }
    };
    let champion_button = (!is_champion && module.is_some()).then(|| {
        view! {
            <button class="button small" class:primary=asked type="button" on:click=make on:blur=move |_| asked.set(false)>
                {icon(Icon::Star)}{question}
            </button>
        }
    });
    let download = module.as_ref().map(|m| {
        let file = format!("{}-v{number}.wasm", version.name);
        view! {
            <a class="button small" href=api::url(&m.url) download=file>{icon(Icon::Download)}".wasm"</a>
        }
    });
    let metrics = telling(metrics);
    let metrics = (!metrics.is_empty()).then(|| {
        let cells = metrics.into_iter().map(|(key, value)| {
            view! { <div><dt>{key}</dt><dd class="nums">{format::number(value)}</dd></div> }
        });
        view! { <dl class="facts">{cells.collect_view()}</dl> }
    });
    let trouble = error.map(|error| {
        if error == "compiling" {
            view! { <p class="note">{badge(Tone::Busy, "compiling")}" The module will appear here by itself."</p> }
                .into_any()
        } else {
            view! {
                <div class="note warn" role="note">
                    <b>"This version has no module: it did not compile."</b>
                    <p>{error}</p>
                </div>
            }
            .into_any()
        }
    });
    let inside = module.map(|module| {
        let manifest = module.manifest.clone();
        view! {
            <ModuleFacts module/>
            <details class="more">
                <summary>{icon(Icon::Chevron)}"Signature"</summary>
                <Signature manifest/>
            </details>
        }
    });
    view! {
        <article class="card version" class:is-champion=is_champion>
            <header>
                <h3>"Version "{number}</h3>
                <span class="badges">{aliases}</span>
                <span class="actions">{champion_button}{download}</span>
            </header>
            <p class="muted">
                "Registered "<Ago at=version.creation_timestamp/>
                {version.run_id.clone().map(|run| view! { " from "<A href=routes::run(&run)>"its run"</A> })}
                {version.description.clone().filter(|d| !d.is_empty()).map(|d| format!(" · {d}"))}
            </p>
            {trouble}
            {metrics}
            {inside}
        </article>
    }
}

/// The metrics on held-out rows where there are some, else the first ones; a card has room for eight.
fn telling(metrics: Vec<(String, f64)>) -> Vec<(String, f64)> {
    let held_out = |(key, _): &(String, f64)| key.starts_with("test");
    let any = metrics.iter().any(held_out);
    metrics.into_iter().filter(|metric| !any || held_out(metric)).take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_out_metrics_stand_for_a_version() {
        let named = |keys: &[&str]| keys.iter().map(|k| ((*k).to_owned(), 1.0)).collect::<Vec<_>>();
        assert_eq!(telling(named(&["train_auc", "test_auc", "test_f1"])), named(&["test_auc", "test_f1"]));
        assert_eq!(telling(named(&["auc"])), named(&["auc"]));
    }
}
