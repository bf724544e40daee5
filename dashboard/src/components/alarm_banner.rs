//! What the watch says of each version: is something wrong, since when, and what first.

use contract::watch::{Alarm, AlarmState};
use leptos::prelude::*;

use crate::clock::Ago;
use crate::format;
use crate::ui::{Icon, Tone, badge, icon};

/// Most causes named.
const CAUSES: usize = 4;

/// One banner for each version that alarms; nothing while all is well.
#[component]
pub fn AlarmBanner(#[prop(into)] alarms: Signal<Vec<Alarm>>) -> impl IntoView {
    let loud = move || {
        let is_loud = |alarm: &&Alarm| matches!(alarm.state, AlarmState::Firing | AlarmState::Pending);
        alarms.with(|alarms| alarms.iter().filter(is_loud).map(banner).collect_view())
    };
    view! { <div class="stack alarms" aria-live="polite">{loud}</div> }
}

fn banner(alarm: &Alarm) -> impl IntoView + use<> {
    let firing = alarm.state == AlarmState::Firing;
    let (class, tone, title) = if firing {
        ("card alarm firing", Tone::Bad, format!("Version {} has left its training data behind", alarm.version))
    } else {
        ("card alarm", Tone::Warn, format!("Version {} may be leaving its training data", alarm.version))
    };
    let causes = alarm.causes.iter().take(CAUSES).map(|text| view! { <li>{cause(text)}</li> }).collect_view();
    let more = alarm.causes.len().saturating_sub(CAUSES);
    let psi = alarm.features.first().and_then(|feature| {
        let (psi, limit) = (feature.psi?, feature.psi_limit?);
        let (psi, limit) = (format::significant(psi, 2), format::significant(limit, 2));
        Some(format!("Greatest: {} with PSI {psi}, where chance explains {limit}. ", feature.name))
    });
    let trust = (!alarm.trusted)
        .then_some("Only counts from browsers say so; they can be forged, so nothing is rolled back because of them. ");
    let wait = (!firing).then_some("It becomes an alarm when further windows agree. ");
    view! {
        <section class=class role=if firing { "alert" } else { "status" }>
            <header>
                {icon(Icon::Warning)}
                <h2 class="grow">{title}</h2>
                {badge(tone, alarm.state.name())}
                <span class="muted nowrap"><Ago at=alarm.since_ms/></span>
            </header>
            <ul class="causes">
                {causes}
                {(more > 0).then(|| view! { <li class="muted">{format!("and {more} more")}</li> })}
            </ul>
            <p class="muted">{psi}{trust}{wait}</p>
        </section>
    }
}

/// `drift:alcohol` in words.
fn cause(text: &str) -> String {
    match text.split_once(':') {
        Some(("drift", "score")) => "the answers drift".to_owned(),
        Some(("drift", feature)) => format!("{feature} drifts"),
        Some(("realised", metric)) => format!("labels confirm: {metric} is worse"),
        Some(("estimated", metric)) => format!("{metric} is estimated to be worse"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_in_words() {
        for (text, expected) in [
            ("drift:alcohol", "alcohol drifts"),
            ("drift:score", "the answers drift"),
            ("drift:a:b", "a:b drifts"),
            ("realised:auc", "labels confirm: auc is worse"),
            ("estimated:accuracy", "accuracy is estimated to be worse"),
        ] {
            assert_eq!(cause(text), expected);
        }
    }
}
