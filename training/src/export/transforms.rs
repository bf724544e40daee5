//! The encoder as nodes: from the inputs to one row of numbers.

use std::collections::HashMap;

use super::civil::Civil;
use super::graph::{Builder, FLOAT, ML, Name, attribute};
use crate::data::{Data, Values};
use crate::encoder::{Encoder, From, Hot, Number, Of, Texts};
use crate::learner::Scores;

/// `[N, width]`: numbers (imputed and scaled for linear models, as they are for trees), then categories.
pub(super) fn features(graph: &mut Builder, data: &Data, encoder: &Encoder, scores: &Scores) -> Name {
    let mut transforms = Transforms { graph, data, dates: HashMap::new() };
    let numbers: Vec<Name> = encoder.numbers.iter().map(|number| transforms.number(number)).collect();
    let mut parts = Vec::new();
    if !numbers.is_empty() {
        let mut numbers = transforms.concat(&numbers);
        if matches!(scores, Scores::Linear { .. }) {
            let offsets: Vec<f32> = encoder.numbers.iter().map(|number| number.standard.offset).collect();
            let scales: Vec<f32> = encoder.numbers.iter().map(|number| number.standard.scale).collect();
            numbers = transforms.impute(&numbers, offsets.clone());
            numbers = transforms.scale(&numbers, offsets, scales);
        }
        parts.push(numbers);
    }
    parts.extend(encoder.hot.iter().map(|hot| transforms.hot(hot)));
    transforms.concat(&parts)
}

struct Transforms<'a> {
    graph: &'a mut Builder,
    data: &'a Data,
    /// What was made of each date.
    dates: HashMap<usize, Civil>,
}

impl Transforms<'_> {
    fn column(&self, feature: usize) -> &str {
        &self.data.features[feature].name
    }

    fn onnx(&mut self, op: &str, inputs: &[&str]) -> Name {
        self.graph.node("", op, inputs, Vec::new())
    }

    /// `[N, 1]`.
    fn number(&mut self, number: &Number) -> Name {
        let mut x = match &number.from {
            From::Column(feature) => self.column(*feature).to_owned(),
            From::Ratio(above, below) => self.ratio(*above, *below),
            From::Part(feature, part) => {
                let name = self.column(*feature).to_owned();
                let Values::Dates { date, .. } = &self.data.features[*feature].values else { return name };
                self.dates.entry(*feature).or_insert_with(|| Civil::new(name, date.unit)).part(self.graph, *part)
            }
            From::Text(texts) => self.position(texts),
        };
        if let Some(impute) = number.impute {
            x = self.impute(&x, vec![impute]);
        }
        if number.log {
            let (one, zero) = (self.graph.floats(&[1.0]), self.graph.floats(&[0.0]));
            let size = self.onnx("Abs", &[&x]);
            let size = self.onnx("Add", &[&size, &one]);
            let size = self.onnx("Log", &[&size]);
            let minus = self.onnx("Neg", &[&size]);
            let negative = self.onnx("Less", &[&x, &zero]);
            x = self.onnx("Where", &[&negative, &minus, &size]);
        }
        if let Some(edges) = &number.edges {
            let (edges, axis) = (self.graph.floats(edges), self.graph.integers(&[1]));
            let above = self.onnx("GreaterOrEqual", &[&x, &edges]); // [N, edges]
            let above = self.graph.node("", "Cast", &[&above], vec![attribute("to", FLOAT)]);
            let bucket = self.graph.node("", "ReduceSum", &[&above, &axis], vec![attribute("keepdims", 1i64)]);
            let missing = self.onnx("IsNaN", &[&x]);
            x = self.onnx("Where", &[&missing, &x, &bucket]);
        }
        match number.scale {
            Some(scale) => self.scale(&x, vec![scale.offset], vec![scale.scale]),
            None => x,
        }
    }

    fn ratio(&mut self, above: usize, below: usize) -> Name {
        let (above, below) = (self.column(above).to_owned(), self.column(below).to_owned());
        let (infinity, nan) = (self.graph.floats(&[f32::INFINITY]), self.graph.floats(&[f32::NAN]));
        let ratio = self.onnx("Div", &[&above, &below]);
        let size = self.onnx("Abs", &[&ratio]);
        let finite = self.onnx("Less", &[&size, &infinity]);
        self.onnx("Where", &[&finite, &ratio, &nan])
    }

    /// Position of a text, `[N, 1]`.
    fn position(&mut self, texts: &Texts) -> Name {
        let input = self.column(texts.feature).to_owned();
        let positions: Vec<f32> = (0..texts.categories.len()).map(|position| position as f32).collect();
        let attributes = vec![
            attribute("keys_strings", texts.categories.clone()),
            attribute("values_floats", positions),
            attribute("default_float", texts.other.map_or(f32::NAN, |other| other as f32)),
        ];
        self.graph.node(ML, "LabelEncoder", &[&input], attributes)
    }

    /// `[N, categories]`.
    fn hot(&mut self, hot: &Hot) -> Name {
        match &hot.of {
            Of::Texts(texts) => {
                let mut input = self.column(texts.feature).to_owned();
                let count = texts.categories.len() as i64;
                let positions: Vec<i64> = (0..count).collect();
                let mut categories = attribute("cats_strings", texts.categories.clone());
                if let Some(other) = texts.other {
                    let table = vec![
                        attribute("keys_strings", texts.categories.clone()),
                        attribute("values_int64s", positions.clone()),
                        attribute("default_int64", other as i64),
                    ];
                    input = self.graph.node(ML, "LabelEncoder", &[&input], table);
                    categories = attribute("cats_int64s", positions);
                }
                let hot = self.graph.node(ML, "OneHotEncoder", &[&input], vec![categories, attribute("zeros", 1i64)]);
                let shape = self.graph.integers(&[-1, count]); // from [N, 1, categories]
                self.onnx("Reshape", &[&hot, &shape])
            }
            Of::Buckets(number) => {
                let bucket = self.number(number);
                let count = number.edges.as_ref().map_or(0, Vec::len) + 1;
                let buckets: Vec<f32> = (0..count).map(|bucket| bucket as f32).collect();
                let buckets = self.graph.floats(&buckets);
                let equal = self.onnx("Equal", &[&bucket, &buckets]);
                self.graph.node("", "Cast", &[&equal], vec![attribute("to", FLOAT)])
            }
        }
    }

    fn impute(&mut self, x: &str, values: Vec<f32>) -> Name {
        let values = attribute("imputed_value_floats", values);
        self.graph.node(ML, "Imputer", &[x], vec![values, attribute("replaced_value_float", f32::NAN)])
    }

    fn scale(&mut self, x: &str, offsets: Vec<f32>, scales: Vec<f32>) -> Name {
        self.graph.node(ML, "Scaler", &[x], vec![attribute("offset", offsets), attribute("scale", scales)])
    }

    fn concat(&mut self, parts: &[Name]) -> Name {
        match parts {
            [one] => one.clone(),
            _ => {
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                self.graph.node("", "Concat", &parts, vec![attribute("axis", 1i64)])
            }
        }
    }
}
