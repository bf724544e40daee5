//! Which rows are decided differently: right before and wrong now, and the other way round.

use serde::{Deserialize, Serialize};

use super::scores::answers;
use super::weighted::argmax;
use super::{Comparison, Labels};

/// How many row numbers are listed.
const LISTED: usize = 20;

/// Rows that the two models decide differently well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flips {
    /// The champion was right, the candidate is wrong.
    pub right_to_wrong: u64,
    /// The champion was wrong, the candidate is right.
    pub wrong_to_right: u64,
    /// The same by true class.
    pub classes: Vec<ClassFlips>,
    /// Numbers (from 0) of the first 20 rows that are wrong now.
    pub rows: Vec<usize>,
}

/// Flips among the rows of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct ClassFlips {
    pub class: String,
    pub rows: u64,
    pub right_to_wrong: u64,
    pub wrong_to_right: u64,
}

/// `None` for numbers, without a champion, and when either model does not answer.
pub(super) fn flips(comparison: &Comparison) -> Option<Flips> {
    let Labels::Classes { names, rows } = &comparison.labels else { return None };
    let champion = answers(comparison.champion.as_ref()?, &comparison.labels).ok()?;
    let candidate = answers(&comparison.candidate, &comparison.labels).ok()?;
    Some(count(names, rows, &champion, &candidate))
}

/// Counts the flips between two matrices of probabilities.
pub(super) fn count(names: &[String], rows: &[usize], champion: &[f64], candidate: &[f64]) -> Flips {
    let classes = names.iter().map(|class| ClassFlips { class: class.clone(), ..Default::default() }).collect();
    let mut flips = Flips { classes, ..Default::default() };
    let said = champion.chunks_exact(names.len()).zip(candidate.chunks_exact(names.len()));
    for (row, (class, (before, now))) in rows.iter().zip(said).enumerate() {
        let of = &mut flips.classes[*class];
        of.rows += 1;
        match (argmax(before) == *class, argmax(now) == *class) {
            (true, false) => {
                of.right_to_wrong += 1;
                flips.right_to_wrong += 1;
                if flips.rows.len() < LISTED {
                    flips.rows.push(row);
                }
            }
            (false, true) => {
                of.wrong_to_right += 1;
                flips.wrong_to_right += 1;
            }
            _ => {}
        }
    }
    flips
}
