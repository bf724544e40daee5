//! One run of a pipeline without a server: data, split, learners, the better one as ONNX.

use crate::data::Data;
use crate::encoder::Encoder;
use crate::learner::{self, Answers, Fitted, Task};
use crate::read::Raw;
use crate::split::{Parts, split};
use crate::{Error, Pipeline, Progress, export, metrics, schema, source};

/// What a pipeline came to.
pub struct Trained {
    /// The exported model, transforms inside.
    pub onnx: Vec<u8>,
    /// `linear` or `boosting`: the learner that was exported.
    pub learner: &'static str,
    /// `binary`, `multiclass` or `regression`.
    pub task: &'static str,
    /// Metrics by key: `validation_…` and `test_…` of the exported learner.
    pub metrics: Vec<(String, f64)>,
    /// What was given and what was found, for the log.
    pub parameters: Vec<(String, String)>,
    pub(crate) data: Data,
    pub(crate) parts: Parts,
    pub(crate) encoder: Encoder,
    pub(crate) fitted: Fitted,
    /// Answers of the exported learner for all rows.
    pub(crate) all: Answers,
    /// Those for the test rows.
    pub(crate) answers: Answers,
    /// Features and how much they matter, most first.
    pub(crate) importance: Vec<(String, f64)>,
}

/// Reads, checks, splits, fits, chooses and exports.
pub fn fit(pipeline: &Pipeline, progress: &mut dyn Progress) -> Result<Trained, Error> {
    let raw = source::read(pipeline, progress)?;
    schema::check(&raw, pipeline)?.passed()?;
    table(&raw, pipeline, progress)
}

/// As [`fit`], on rows that were read and checked.
pub(crate) fn table(raw: &Raw, pipeline: &Pipeline, progress: &mut dyn Progress) -> Result<Trained, Error> {
    let data = Data::new(raw, pipeline)?;
    let parts = split(&data, pipeline)?;
    let sizes = [parts.train.len(), parts.validation.len(), parts.test.len()];
    progress.say(&format!(
        "{}: {} rows, {} features, {}; {} rows to learn from, {} to choose by, {} held out",
        data.place,
        data.rows,
        data.features.len(),
        data.target.task(),
        sizes[0],
        sizes[1],
        sizes[2]
    ));
    let encoder = Encoder::fit(&data, &parts.train, pipeline)?;
    if encoder.width() == 0 {
        return Err(Error::data(&data.place, "no feature has a value in the training rows"));
    }
    let task = Task { data: &data, parts: &parts, encoder: &encoder, pipeline };
    let (loss, mut best) = (metrics::loss(&data), None::<(f64, Fitted)>);
    let (mut found, mut parameters) = (Vec::new(), given(pipeline, &data, sizes));
    for fitted in learner::fit(&task, progress)? {
        let answers = fitted.answer(&data, &encoder, &parts.validation)?;
        let measured = metrics::all(&data, &parts.validation, &answers);
        let value = measured.iter().find(|(name, _)| *name == loss).map_or(f64::INFINITY, |(_, value)| *value);
        for (name, value) in &measured {
            found.push((format!("{}.best_validation_{name}", fitted.learner), *value));
        }
        parameters.extend(fitted.found.iter().cloned());
        if best.as_ref().is_none_or(|(least, _)| value < *least) {
            found.retain(|(key, _)| !key.starts_with("validation_"));
            found.extend(measured.iter().map(|(name, value)| (format!("validation_{name}"), *value)));
            best = Some((value, fitted));
        }
    }
    let Some((_, best)) = best else {
        return Err(pipeline.wrong("learners", "none is given"));
    };
    parameters.push(("learner".to_owned(), best.learner.to_owned()));
    let all = best.answer(&data, &encoder, &(0..data.rows).collect::<Vec<_>>())?;
    let answers = all.rows(&parts.test);
    let test = metrics::all(&data, &parts.test, &answers);
    found.extend(test.into_iter().map(|(name, value)| (format!("test_{name}"), value)));
    let onnx = export::export(&data, &encoder, &best, pipeline.model());
    let importance = importance(&data, &encoder, &best);
    let (learner, task) = (best.learner, data.target.task());
    Ok(Trained {
        onnx,
        learner,
        task,
        metrics: found,
        parameters,
        data,
        parts,
        encoder,
        fitted: best,
        all,
        answers,
        importance,
    })
}

fn given(pipeline: &Pipeline, data: &Data, sizes: [usize; 3]) -> Vec<(String, String)> {
    let mut given: Vec<(&str, String)> = vec![
        ("source", data.origin.source.clone()),
        ("source_sha256", data.origin.sha256.clone()),
        ("data_sha256", data.sha256.clone()),
        ("target", pipeline.target.clone()),
        ("task", data.target.task().to_owned()),
        ("features", data.features.len().to_string()),
        ("rows", data.rows.to_string()),
        ("rows.train", sizes[0].to_string()),
        ("rows.validation", sizes[1].to_string()),
        ("rows.test", sizes[2].to_string()),
        ("seed", pipeline.split.seed.to_string()),
    ];
    given.extend(pipeline.positive.iter().map(|rule| ("positive", rule.clone())));
    if let Some(linear) = &pipeline.learners.linear {
        given.push(("linear.l2", linear.l2.to_string()));
        given.push(("linear.iterations", linear.iterations.to_string()));
    }
    if let Some(boosting) = &pipeline.learners.boosting {
        given.extend([
            ("boosting.rounds", boosting.rounds.to_string()),
            ("boosting.learning_rate", boosting.learning_rate.to_string()),
            ("boosting.depth", boosting.depth.to_string()),
            ("boosting.min_child_weight", boosting.min_child_weight.to_string()),
            ("boosting.lambda", boosting.lambda.to_string()),
            ("boosting.subsample", boosting.subsample.to_string()),
            ("boosting.colsample", boosting.colsample.to_string()),
            ("boosting.patience", boosting.patience.to_string()),
        ]);
    }
    given.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Importance by feature, as shares of the sum, most first.
fn importance(data: &Data, encoder: &Encoder, fitted: &Fitted) -> Vec<(String, f64)> {
    let mut shares = vec![0.0; data.features.len()];
    for (features, value) in encoder.origins().into_iter().zip(&fitted.importance) {
        features.iter().for_each(|feature| shares[*feature] += value / features.len() as f64);
    }
    let sum: f64 = shares.iter().sum();
    let names = data.features.iter().map(|feature| feature.name.clone());
    let mut importance: Vec<(String, f64)> = names.zip(shares.iter().map(|s| s / sum.max(f64::MIN_POSITIVE))).collect();
    importance.sort_by(|a, b| b.1.total_cmp(&a.1));
    importance
}
