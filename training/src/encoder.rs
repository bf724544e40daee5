//! The transforms between raw columns and what a learner sees, fitted on the training rows. The same
//! steps, in the same f32 arithmetic, go into the ONNX graph.

use std::collections::BTreeSet;

use crate::data::{Data, Values};

/// Numeric columns first, then one column for each category; both in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct Encoder {
    /// Numeric columns.
    pub numeric: Vec<Numeric>,
    /// Columns of texts.
    pub categorical: Vec<Categorical>,
}

/// A numeric column: a missing value becomes `mean`, then `(x - mean) * scale`.
#[derive(Clone, Debug)]
pub(crate) struct Numeric {
    /// Position among the features.
    pub feature: usize,
    /// Mean of the training rows.
    pub mean: f32,
    /// 1 / standard deviation; 1 for a constant column.
    pub scale: f32,
}

/// A column of texts: 1 in the column of its category; a missing or unseen text is 0 everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Categorical {
    /// Position among the features.
    pub feature: usize,
    /// Texts of the training rows, ascending.
    pub categories: Vec<String>,
}

/// Rows of numbers, row-major.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    /// Numbers in a row.
    pub width: usize,
    /// `rows × width` numbers.
    pub data: Vec<f32>,
}

impl Matrix {
    /// The rows.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.data.chunks_exact(self.width)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.data.len() / self.width
    }
}

impl Encoder {
    /// Looks at the training rows.
    pub fn fit(data: &Data, train: &[usize]) -> Encoder {
        let mut encoder = Encoder { numeric: Vec::new(), categorical: Vec::new() };
        for (feature, column) in data.features.iter().enumerate() {
            match &column.values {
                Values::Numbers(numbers) => {
                    let (mean, scale) = moments(train.iter().map(|row| numbers[*row]));
                    encoder.numeric.push(Numeric { feature, mean, scale });
                }
                Values::Texts(texts) => {
                    let seen: BTreeSet<&String> = train.iter().filter_map(|row| texts[*row].as_ref()).collect();
                    let categories: Vec<String> = seen.into_iter().cloned().collect();
                    encoder.categorical.push(Categorical { feature, categories });
                }
            }
        }
        encoder
    }

    /// Columns that a learner sees.
    pub fn width(&self) -> usize {
        self.numeric.len() + self.categorical.iter().map(|column| column.categories.len()).sum::<usize>()
    }

    /// Feature that each column comes from.
    pub fn origins(&self) -> Vec<usize> {
        let numeric = self.numeric.iter().map(|column| column.feature);
        let texts = self.categorical.iter().flat_map(|c| std::iter::repeat_n(c.feature, c.categories.len()));
        numeric.chain(texts).collect()
    }

    /// Numbers as they are (NaN is missing) and categories: what trees see.
    pub fn raw(&self, data: &Data, rows: &[usize]) -> Matrix {
        self.encode(data, rows, |_, value| value)
    }

    /// Imputed and scaled numbers and categories: what linear models see.
    pub fn scaled(&self, data: &Data, rows: &[usize]) -> Matrix {
        self.encode(data, rows, |column, value| {
            let value = if value.is_nan() { column.mean } else { value };
            (value - column.mean) * column.scale
        })
    }

    fn encode(&self, data: &Data, rows: &[usize], number: impl Fn(&Numeric, f32) -> f32) -> Matrix {
        let width = self.width();
        let mut out = Vec::with_capacity(rows.len() * width);
        for row in rows {
            for column in &self.numeric {
                let Values::Numbers(numbers) = &data.features[column.feature].values else { continue };
                out.push(number(column, numbers[*row]));
            }
            for column in &self.categorical {
                let Values::Texts(texts) = &data.features[column.feature].values else { continue };
                let text = texts[*row].as_ref();
                out.extend(column.categories.iter().map(|category| f32::from(u8::from(text == Some(category)))));
            }
        }
        Matrix { width, data: out }
    }
}

/// Mean and 1 / standard deviation of the values that are there.
fn moments(values: impl Iterator<Item = f32> + Clone) -> (f32, f32) {
    let values = values.filter(|value| !value.is_nan()).map(f64::from);
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    let scale = 1.0 / variance.sqrt();
    (mean as f32, if (scale as f32).is_finite() && variance > 0.0 { scale as f32 } else { 1.0 })
}
