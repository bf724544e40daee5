//! Three parts of the rows, by a hash of each row: equal rows never stand on two sides.

use sha2::{Digest, Sha256};

use crate::data::{Data, Values};
use crate::{Error, Pipeline};

/// Rows of each part, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// Rows that the learners see.
    pub train: Vec<usize>,
    /// Rows that stop boosting and choose the learner.
    pub validation: Vec<usize>,
    /// Rows held out.
    pub test: Vec<usize>,
}

impl Parts {
    /// `train`, `validation` or `test`, for each of `rows` rows.
    pub fn names(&self, rows: usize) -> Vec<Option<String>> {
        let mut names = vec![None; rows];
        for (name, part) in [("train", &self.train), ("validation", &self.validation), ("test", &self.test)] {
            part.iter().for_each(|row| names[*row] = Some(name.to_owned()));
        }
        names
    }
}

/// Splits by the hash. Fails when a part would be empty, or the training rows hold one class only.
pub(crate) fn split(data: &Data, pipeline: &Pipeline) -> Result<Parts, Error> {
    let shares = &pipeline.split;
    let mut parts = Parts { train: Vec::new(), validation: Vec::new(), test: Vec::new() };
    for row in 0..data.rows {
        let place = share(data, row, shares.seed);
        if place < shares.train {
            parts.train.push(row);
        } else if place < shares.train + shares.validation {
            parts.validation.push(row);
        } else {
            parts.test.push(row);
        }
    }
    for (name, rows) in [("train", &parts.train), ("validation", &parts.validation), ("test", &parts.test)] {
        if rows.is_empty() {
            let what = format!("no row of {} falls here; more different rows or another `seed` help", data.rows);
            return Err(pipeline.wrong(&format!("split.{name}"), what));
        }
    }
    let first = data.target.value(parts.train[0]);
    if parts.train.iter().all(|row| data.target.value(*row) == first) {
        return Err(pipeline.wrong("split.train", "the target is the same in all these rows; another `seed` helps"));
    }
    Ok(parts)
}

/// A number in [0, 1) that depends on the seed and the row's values alone: the first 53 bits of a sha256.
fn share(data: &Data, row: usize, seed: u64) -> f64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    for feature in &data.features {
        match &feature.values {
            Values::Numbers(numbers) if numbers[row].is_nan() => hash.update([0]),
            // Adding 0 makes -0 and 0 one.
            Values::Numbers(numbers) => hash.update([&[1][..], &(numbers[row] + 0.0).to_le_bytes()].concat()),
            Values::Dates { numbers, .. } if numbers[row].is_nan() => hash.update([0]),
            Values::Dates { numbers, .. } => hash.update([&[3][..], &numbers[row].to_le_bytes()].concat()),
            Values::Texts(texts) => match &texts[row] {
                None => hash.update([0]),
                Some(text) => {
                    hash.update([&[2][..], &(text.len() as u64).to_le_bytes(), text.as_bytes()].concat());
                }
            },
        }
    }
    hash.update((data.target.value(row) + 0.0).to_le_bytes());
    let digest = hash.finalize();
    let bits = digest.iter().take(8).fold(0u64, |bits, byte| (bits << 8) | u64::from(*byte));
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{read, sample};

    #[test]
    fn duplicates_of_the_wine_data_stand_on_one_side() {
        let pipeline = Pipeline::default();
        let raw = sample::wine_quality_red();
        let parts = split(&Data::new(&raw, &pipeline).unwrap(), &pipeline).unwrap();
        let distinct = |rows: &[usize]| rows.iter().map(|row| raw.rows[*row].clone()).collect::<BTreeSet<_>>();
        let sides = [distinct(&parts.train), distinct(&parts.validation), distinct(&parts.test)];
        assert_eq!(sides.iter().map(BTreeSet::len).sum::<usize>(), 1359, "an equal row stands on two sides");
        assert_eq!(parts.train.len() + parts.validation.len() + parts.test.len(), 1599);
        assert!((280..360).contains(&parts.test.len()), "{}", parts.test.len());
    }

    #[test]
    fn an_empty_part_is_an_error_that_names_the_key() {
        let raw = read::parse(b"a,y\n1,0\n1,0\n2,1\n", "t.csv").unwrap();
        let pipeline = Pipeline::parse("{name: t, source: {csv: t.csv}, target: y}", "p").unwrap();
        let error = split(&Data::new(&raw, &pipeline).unwrap(), &pipeline).unwrap_err().to_string();
        assert!(error.contains("split.") && error.contains("`seed`"), "{error}");
    }
}
