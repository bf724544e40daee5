//! Edges from training data, and their identity.

use contract::Profile;
use contract::profile::Bins;
use sha2::{Digest, Sha256};

/// Edges of equal share: quantiles `1/bins … (bins-1)/bins` of the finite `values`, duplicates
/// collapsed, each rounded to f32 so that every host compares the same number.
///
/// Quantiles are values of the data (Hyndman & Fan 1996, type 1), never interpolated.
pub fn quantile_edges(values: &[f32], bins: usize) -> Bins {
    let mut sorted: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f32::total_cmp);
    let mut edges: Vec<f64> = Vec::new();
    for k in 1..bins {
        let rank = (k * sorted.len()).div_ceil(bins);
        let Some(value) = sorted.get(rank.saturating_sub(1)) else { continue };
        let edge = f64::from(*value) + 0.0; // -0 becomes 0
        if edges.last() != Some(&edge) {
            edges.push(edge);
        }
    }
    Bins::Edges(edges)
}

/// sha256 (hex) over names, edges and categories: the identity that counters carry.
/// Strings are hashed with their length, numbers as little-endian bits of the f64.
pub fn edges_sha256(profile: &Profile) -> String {
    let mut hash = Sha256::new();
    let mut part = |name: &str, bins: &Bins| {
        text(&mut hash, name);
        match bins {
            Bins::Edges(edges) => {
                text(&mut hash, "edges");
                hash.update((edges.len() as u64).to_le_bytes());
                edges.iter().for_each(|edge| hash.update(edge.to_bits().to_le_bytes()));
            }
            Bins::Categories(categories) => {
                text(&mut hash, "categories");
                hash.update((categories.len() as u64).to_le_bytes());
                categories.iter().for_each(|category| text(&mut hash, category));
            }
        }
    };
    profile.features.iter().for_each(|feature| part(&feature.name, &feature.bins));
    if let Some(score) = &profile.score {
        part(&format!("score {} {:?}", score.output, score.element), &score.bins);
    }
    contract::hex::encode(&hash.finalize())
}

fn text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantile_edges_are_values_without_duplicates() {
        let values: Vec<f32> = (0..100).map(|i| (i / 10) as f32).chain([f32::NAN]).collect();
        assert_eq!(quantile_edges(&values, 4), Bins::Edges(vec![2.0, 4.0, 7.0]));
        assert_eq!(quantile_edges(&[1.0; 9], 4), Bins::Edges(vec![1.0]));
        assert_eq!(quantile_edges(&[], 4), Bins::Edges(vec![]));
    }
}
