//! The built-in sample: red wine quality (P. Cortez et al., 2009), carried by the crate `linfa-datasets`.

use crate::read::Raw;

/// Samples that `source.sample` may name.
pub(crate) const NAMES: [&str; 1] = ["wine-quality-red"];

/// 1,599 rows: 11 measurements and `quality`, a taster's grade from 3 to 8.
pub(crate) fn wine_quality_red() -> Raw {
    let wine = linfa_datasets::winequality();
    let mut header: Vec<String> = wine.feature_names().iter().map(ToString::to_string).collect();
    header.push("quality".to_owned());
    let rows: Vec<Vec<String>> = wine
        .records
        .rows()
        .into_iter()
        .zip(wine.targets.iter())
        .map(|(row, quality)| row.iter().map(f64::to_string).chain([quality.to_string()]).collect())
        .collect();
    let lines = (0..rows.len() as u64).map(|i| i + 2).collect();
    Raw { place: NAMES[0].to_owned(), header, rows, lines }
}

#[cfg(test)]
mod tests {
    #[test]
    fn has_the_rows_and_names_of_the_file() {
        let raw = super::wine_quality_red();
        assert_eq!((raw.rows.len(), raw.header.len()), (1599, 12));
        assert_eq!((raw.header[10].as_str(), raw.header[11].as_str()), ("alcohol", "quality"));
        assert_eq!(raw.rows[0][..4], ["7.4", "0.7", "0", "1.9"]);
        assert_eq!(raw.rows[0][11], "5");
    }
}
