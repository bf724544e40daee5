//! Can whoever calls the champion call the candidate, without a change?

use contract::Manifest;
use contract::manifest::TensorSpec;

/// What differs, one sentence each; empty when the candidate can take the champion's place.
/// Inputs must be the same (a host refuses unknown features as it refuses missing ones), in any
/// order and with any vocabulary; outputs of the champion must be there, more are welcome.
pub(super) fn differences(champion: &Manifest, candidate: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    compare("input", &champion.inputs, &candidate.inputs, &mut found);
    for spec in &candidate.inputs {
        if !champion.inputs.iter().any(|old| old.name == spec.name) {
            found.push(format!("input `{}` is new", spec.name));
        }
    }
    compare("output", &champion.outputs, &candidate.outputs, &mut found);
    found
}

fn compare(side: &str, champion: &[TensorSpec], candidate: &[TensorSpec], found: &mut Vec<String>) {
    for old in champion {
        let name = &old.name;
        let Some(new) = candidate.iter().find(|new| new.name == *name) else {
            found.push(format!("{side} `{name}` is missing"));
            continue;
        };
        if new.datatype != old.datatype {
            found.push(format!("{side} `{name}` is {} instead of {}", new.datatype, old.datatype));
        } else if new.row_elements() != old.row_elements() {
            found.push(format!(
                "{side} `{name}` has {} elements instead of {}",
                new.row_elements(),
                old.row_elements()
            ));
        } else if new.element_names() != old.element_names() {
            found.push(format!("{side} `{name}` has other element names, or another order of them"));
        }
    }
}
