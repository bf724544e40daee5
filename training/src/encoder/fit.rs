//! Declared features and defaults, fitted on the training rows.

use std::collections::{BTreeMap, BTreeSet};

use contract::date::Unit;
use contract::profile::Bins;
use monitoring::reference::quantile_edges;

use super::{Affine, Encoder, From, Hot, Number, Of, Texts};
use crate::data::{Data, Values};
use crate::pipeline::{Bucket, Feature, Impute, Ordinal, Part, Scale};
use crate::{Error, Pipeline};

impl Encoder {
    /// Looks at the training rows. Errors name the feature's key.
    pub fn fit(data: &Data, train: &[usize], pipeline: &Pipeline) -> Result<Encoder, Error> {
        let mut encoder = Encoder { numbers: Vec::new(), hot: Vec::new() };
        let default = Feature::default();
        let columns = data.features.iter().map(|column| column.name.as_str());
        let more = pipeline.features.keys().map(String::as_str);
        let more = more.filter(|name| !data.features.iter().any(|column| column.name == *name));
        for name in columns.chain(more) {
            let feature = pipeline.features.get(name).unwrap_or(&default);
            let fit = Fit { data, train, name, feature };
            fit.add(&mut encoder).map_err(|what| pipeline.wrong(&format!("features.{name}"), what))?;
        }
        Ok(encoder)
    }
}

/// One feature and what it is fitted on.
struct Fit<'a> {
    data: &'a Data,
    train: &'a [usize],
    name: &'a str,
    feature: &'a Feature,
}

impl Fit<'_> {
    fn add(&self, encoder: &mut Encoder) -> Result<(), String> {
        let feature = self.feature;
        if let Some([above, below]) = &feature.ratio {
            let from = From::Ratio(self.numeric(above)?, self.numeric(below)?);
            return self.number(encoder, self.name.to_owned(), from);
        }
        let column = self.column(feature.from.as_deref().unwrap_or(self.name))?;
        match &self.data.features[column].values {
            Values::Numbers(_) => {
                if feature.ordinal.is_some() || feature.one_hot && feature.bucket.is_none() || !feature.date.is_empty()
                {
                    return Err("the column holds numbers; `one_hot`, `ordinal` and `date` take others".to_owned());
                }
                self.number(encoder, self.name.to_owned(), From::Column(column))
            }
            Values::Texts(texts) => {
                let steps = feature.log || feature.bucket.is_some() || feature.scale.is_some();
                if steps || !feature.date.is_empty() {
                    return Err("the column holds texts; only `impute`, `one_hot` and `ordinal` take them".to_owned());
                }
                let texts = self.texts(column, texts)?;
                match feature.ordinal {
                    Some(_) => self.finish(encoder, self.name.to_owned(), From::Text(texts), None),
                    None if texts.categories.is_empty() => Ok(()),
                    None => {
                        encoder.hot.push(Hot { name: self.name.to_owned(), of: Of::Texts(texts) });
                        Ok(())
                    }
                }
            }
            Values::Dates { date, .. } => {
                if feature.ordinal.is_some() || feature.one_hot && feature.bucket.is_none() {
                    return Err("the column holds dates; `one_hot` and `ordinal` take texts".to_owned());
                }
                let timed = date.unit == Unit::Milliseconds;
                let mut parts = feature.date.clone();
                if parts.is_empty() {
                    parts = vec![Part::Days, Part::Year, Part::Month, Part::Day, Part::Weekday];
                    parts.extend(timed.then_some(Part::Hour));
                }
                if let Some(part) = parts.iter().find(|part| part.is_time() && !timed) {
                    return Err(format!("date: no `{}` in dates of the format {}", part.name(), date.format));
                }
                for part in parts {
                    let name = format!("{}.{}", self.name, part.name());
                    self.number(encoder, name, From::Part(column, part))?;
                }
                Ok(())
            }
        }
    }

    fn column(&self, name: &str) -> Result<usize, String> {
        let found = self.data.features.iter().position(|column| column.name == name);
        found.ok_or_else(|| format!("there is no column `{name}` to start from (or it is the target, or `ignore`)"))
    }

    fn numeric(&self, name: &str) -> Result<usize, String> {
        let column = self.column(name)?;
        match self.data.features[column].values {
            Values::Numbers(_) => Ok(column),
            _ => Err(format!("the column `{name}` holds no numbers")),
        }
    }

    fn texts(&self, feature: usize, texts: &[Option<String>]) -> Result<Texts, String> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for text in self.train.iter().filter_map(|row| texts[*row].as_deref()) {
            *counts.entry(text).or_default() += 1;
        }
        let imputed = match &self.feature.impute {
            None => None,
            Some(Impute::Text(text)) if text == "most_frequent" => {
                let most = counts.iter().rev().max_by_key(|(_, count)| **count);
                Some(most.map(|(text, _)| (*text).to_owned()).ok_or("impute: no training row has a text")?)
            }
            Some(Impute::Text(text)) => Some(text.clone()),
            Some(Impute::Number(_)) => return Err("impute: `most_frequent` or a text is needed".to_owned()),
        };
        let categories: Vec<String> = match &self.feature.ordinal {
            Some(Ordinal::Order(texts)) => texts.clone(),
            _ => {
                let seen = counts.keys().map(|text| (*text).to_owned()).chain(imputed.clone());
                seen.collect::<BTreeSet<_>>().into_iter().collect()
            }
        };
        let position = |text: String| {
            let found = categories.iter().position(|category| *category == text);
            found.ok_or("impute: the text is not in the list of `ordinal`")
        };
        let other = imputed.map(position).transpose()?;
        Ok(Texts { feature, categories, other })
    }

    fn number(&self, encoder: &mut Encoder, name: String, from: From) -> Result<(), String> {
        let mut there: Vec<f32> =
            from.values(self.data, self.train).into_iter().filter(|value| !value.is_nan()).collect();
        let impute = match &self.feature.impute {
            None => None,
            Some(Impute::Number(number)) => Some(*number),
            Some(Impute::Text(_)) if there.is_empty() => return Err("impute: no training row has a value".to_owned()),
            Some(Impute::Text(text)) if text == "mean" => Some(moments(&there).offset),
            Some(Impute::Text(text)) if text == "median" => {
                there.sort_by(f32::total_cmp);
                Some(there[(there.len() - 1) / 2])
            }
            Some(Impute::Text(_)) => return Err("impute: `mean`, `median` or a number is needed".to_owned()),
        };
        self.finish(encoder, name, from, impute)
    }

    /// The steps whose parameters depend on those before.
    fn finish(&self, encoder: &mut Encoder, name: String, from: From, impute: Option<f32>) -> Result<(), String> {
        let standard = Affine { offset: 0.0, scale: 1.0 };
        let mut number = Number { name, from, impute, log: self.feature.log, edges: None, scale: None, standard };
        let values = |number: &Number| -> Vec<f32> {
            number.values(self.data, self.train).into_iter().filter(|value| !value.is_nan()).collect()
        };
        number.edges = match &self.feature.bucket {
            None => None,
            Some(Bucket::Edges(edges)) => Some(edges.clone()),
            Some(Bucket::Count(count)) => match quantile_edges(&values(&number), *count) {
                Bins::Edges(edges) if !edges.is_empty() => Some(edges.into_iter().map(|edge| edge as f32).collect()),
                _ => return Err("bucket: no training row has a value".to_owned()),
            },
        };
        if self.feature.one_hot {
            encoder.hot.push(Hot { name: number.name.clone(), of: Of::Buckets(number) });
            return Ok(());
        }
        number.scale = self.feature.scale.map(|scale| match scale {
            Scale::Standard => moments(&values(&number)),
            Scale::MinMax => {
                let values = values(&number);
                let low = values.iter().copied().fold(f32::INFINITY, f32::min);
                let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                if low < high { Affine { offset: low, scale: 1.0 / (high - low) } } else { standard }
            }
        });
        number.standard = moments(&values(&number));
        encoder.numbers.push(number);
        Ok(())
    }
}

/// Mean and 1 / standard deviation; 1 for values that are all the same.
fn moments(values: &[f32]) -> Affine {
    let count = values.len().max(1) as f64;
    let mean = values.iter().copied().map(f64::from).sum::<f64>() / count;
    let variance = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count;
    let scale = 1.0 / variance.sqrt();
    let scale = if (scale as f32).is_finite() && variance > 0.0 { scale as f32 } else { 1.0 };
    Affine { offset: mean as f32, scale }
}
