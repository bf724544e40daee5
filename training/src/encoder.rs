//! The transforms between raw columns and what a learner sees, fitted on the training rows. The same
//! steps, in the same f32 arithmetic, go into the ONNX graph.

mod civil;
mod fit;
mod number;
#[cfg(test)]
mod tests;

use crate::data::{Data, Values};
use crate::pipeline::Part;

/// Columns of numbers first, then one column for each category or bucket.
#[derive(Clone, Debug)]
pub(crate) struct Encoder {
    /// One column each.
    pub numbers: Vec<Number>,
    /// Several columns each.
    pub hot: Vec<Hot>,
}

/// A column of numbers. The steps run in the order of the fields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Number {
    /// `age`, `signup.weekday`.
    pub name: String,
    /// Where it starts.
    pub from: From,
    /// Stands for a missing value.
    pub impute: Option<f32>,
    /// `sign(x) · ln(1 + |x|)`.
    pub log: bool,
    /// The number of edges that are not above the value; a missing value stays.
    pub edges: Option<Vec<f32>>,
    /// `(x - offset) * scale`.
    pub scale: Option<Affine>,
    /// What linear models see on top: a missing value is the offset, then as above.
    pub standard: Affine,
}

/// Where a number starts; positions are those of the features of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum From {
    /// A column of numbers.
    Column(usize),
    /// One column divided by another; missing where that is not finite.
    Ratio(usize, usize),
    /// Part of a column of dates.
    Part(usize, Part),
    /// Position of a text.
    Text(Texts),
}

/// `(x - offset) * scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Affine {
    /// Taken away first.
    pub offset: f32,
    /// Then multiplied.
    pub scale: f32,
}

/// A column of texts as positions in a list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Texts {
    /// Position among the features.
    pub feature: usize,
    /// The list.
    pub categories: Vec<String>,
    /// What a missing or unseen text is; `None`: missing.
    pub other: Option<usize>,
}

/// Columns of 0 and 1: 1 in the column of the row's category; a missing value is 0 everywhere.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hot {
    /// Name of the feature.
    pub name: String,
    /// What is told apart.
    pub of: Of,
}

/// What is told apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Of {
    /// Texts.
    Texts(Texts),
    /// Buckets of a number, which has edges.
    Buckets(Number),
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
    /// Columns that a learner sees.
    pub fn width(&self) -> usize {
        self.numbers.len() + self.hot.iter().map(Hot::width).sum::<usize>()
    }

    /// Their names: `age`, `signup.weekday`, `plan=pro`, `income=2`.
    pub fn names(&self) -> Vec<String> {
        let hot = |hot: &Hot| -> Vec<String> {
            match &hot.of {
                Of::Texts(texts) => texts.categories.iter().map(|text| format!("{}={text}", hot.name)).collect(),
                Of::Buckets(_) => (0..hot.width()).map(|bucket| format!("{}={bucket}", hot.name)).collect(),
            }
        };
        self.numbers.iter().map(|number| number.name.clone()).chain(self.hot.iter().flat_map(hot)).collect()
    }

    /// Features of the table that each column comes from.
    pub fn origins(&self) -> Vec<Vec<usize>> {
        let hot = |hot: &Hot| {
            let origins = match &hot.of {
                Of::Texts(texts) => vec![texts.feature],
                Of::Buckets(number) => number.from.features(),
            };
            std::iter::repeat_n(origins, hot.width())
        };
        self.numbers.iter().map(|number| number.from.features()).chain(self.hot.iter().flat_map(hot)).collect()
    }

    /// The features (NaN is missing): what trees see.
    pub fn raw(&self, data: &Data, rows: &[usize]) -> Matrix {
        self.encode(data, rows, |_, value| value)
    }

    /// The same, imputed and scaled: what linear models see.
    pub fn scaled(&self, data: &Data, rows: &[usize]) -> Matrix {
        self.encode(data, rows, |number, value| {
            number.standard.of(if value.is_nan() { number.standard.offset } else { value })
        })
    }

    fn encode(&self, data: &Data, rows: &[usize], last: impl Fn(&Number, f32) -> f32) -> Matrix {
        let width = self.width();
        let mut out = vec![0.0; rows.len() * width];
        let mut first = 0;
        for number in &self.numbers {
            let values = number.values(data, rows);
            out.chunks_exact_mut(width).zip(values).for_each(|(row, value)| row[first] = last(number, value));
            first += 1;
        }
        for hot in &self.hot {
            let positions = match &hot.of {
                Of::Texts(texts) => texts.positions(data, rows),
                Of::Buckets(number) => number.values(data, rows),
            };
            for (row, position) in out.chunks_exact_mut(width).zip(positions).filter(|(_, p)| !p.is_nan()) {
                row[first + position as usize] = 1.0;
            }
            first += hot.width();
        }
        Matrix { width, data: out }
    }
}

impl Hot {
    fn width(&self) -> usize {
        match &self.of {
            Of::Texts(texts) => texts.categories.len(),
            Of::Buckets(number) => number.edges.as_ref().map_or(0, Vec::len) + 1,
        }
    }
}

impl From {
    /// Features of the table that it needs.
    pub fn features(&self) -> Vec<usize> {
        match self {
            From::Column(feature) | From::Part(feature, _) => vec![*feature],
            From::Ratio(above, below) => vec![*above, *below],
            From::Text(texts) => vec![texts.feature],
        }
    }
}

impl Affine {
    /// `(x - offset) * scale`.
    pub fn of(self, x: f32) -> f32 {
        (x - self.offset) * self.scale
    }
}

impl Texts {
    /// Position of each row's text; NaN where it has none.
    fn positions(&self, data: &Data, rows: &[usize]) -> Vec<f32> {
        let Values::Texts(texts) = &data.features[self.feature].values else { return vec![f32::NAN; rows.len()] };
        let known: std::collections::HashMap<&str, usize> =
            self.categories.iter().enumerate().map(|(i, text)| (text.as_str(), i)).collect();
        let position = |row: &usize| texts[*row].as_deref().and_then(|text| known.get(text).copied()).or(self.other);
        rows.iter().map(|row| position(row).map_or(f32::NAN, |position| position as f32)).collect()
    }
}
