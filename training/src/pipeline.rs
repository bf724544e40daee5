//! `pipeline.yaml`: where the data is, what to predict, how to split, what to fit, what to call it.

mod check;
mod feature;
mod kind;
mod positive;
mod schema;
mod source;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;

pub use feature::{Bucket, Feature, Impute, Ordinal, Part, Scale};
pub use kind::Kind;
pub use positive::Positive;
pub use schema::{Column, Rows, Schema, Type};
pub use source::Source;

/// A whole pipeline. `Pipeline::default()` is the built-in sample: red wine quality.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// Name of the run.
    pub name: String,
    /// Where the rows come from.
    pub source: Source,
    /// Column to predict.
    pub target: String,
    /// What kind of prediction; `auto` looks at the target.
    #[serde(default)]
    pub task: Task,
    /// Which target values are the positive class: `">= 6"`, or one value.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "positive::text")]
    pub positive: Option<String>,
    /// Kinds of columns that should not be guessed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Kind>,
    /// What the table must be like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Schema>,
    /// Features that are not made by default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub features: BTreeMap<String, Feature>,
    /// Shares of the rows.
    #[serde(default)]
    pub split: Split,
    /// What is fitted; the better one on the validation rows is exported.
    #[serde(default)]
    pub learners: Learners,
    /// Experiment that the run is logged to; the pipeline's name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
    /// Registered model; the pipeline's name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// File it was read from; relative paths start there.
    #[serde(skip)]
    pub(crate) file: Option<PathBuf>,
}

/// What kind of prediction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Binary with `positive` or two values, multiclass for texts and up to 20 integers, else regression.
    #[default]
    Auto,
    /// Two classes.
    Binary,
    /// Three classes or more.
    Multiclass,
    /// A number.
    Regression,
}

/// Shares of the rows, and the seed that the row hash and the learners take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Split {
    /// Share of the rows that the learners see.
    pub train: f64,
    /// Share that stops boosting and chooses between the learners.
    pub validation: f64,
    /// Share held out for the final metrics.
    pub test: f64,
    /// Another seed, another split.
    pub seed: u64,
}

impl Default for Split {
    fn default() -> Self {
        Split { train: 0.6, validation: 0.2, test: 0.2, seed: 7 }
    }
}

/// What is fitted. `{}` after a name takes its defaults; a name left out is not fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learners {
    /// Linear regression, or logistic regression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear: Option<Linear>,
    /// Gradient boosting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boosting: Option<Boosting>,
}

impl Default for Learners {
    fn default() -> Self {
        Learners { linear: Some(Linear::default()), boosting: Some(Boosting::default()) }
    }
}

/// Parameters of the linear learner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Linear {
    /// Weight of the squared coefficients (of scaled features) against the summed loss.
    pub l2: f64,
    /// Most steps of the solver.
    pub iterations: usize,
}

impl Default for Linear {
    fn default() -> Self {
        Linear { l2: 1.0, iterations: 200 }
    }
}

/// Parameters of the boosting learner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Boosting {
    /// Most rounds.
    pub rounds: usize,
    /// Share of each tree that is added.
    pub learning_rate: f64,
    /// Most splits on the way to a leaf.
    pub depth: usize,
    /// Least sum of second derivatives in a leaf.
    pub min_child_weight: f64,
    /// Weight of squared leaf values.
    pub lambda: f64,
    /// Share of the rows that each tree sees.
    pub subsample: f64,
    /// Share of the features that each tree sees.
    pub colsample: f64,
    /// Rounds without a better validation loss after which it stops.
    pub patience: usize,
}

impl Default for Boosting {
    fn default() -> Self {
        Boosting {
            rounds: 400,
            learning_rate: 0.05,
            depth: 5,
            min_child_weight: 1.0,
            lambda: 1.0,
            subsample: 0.8,
            colsample: 0.8,
            patience: 40,
        }
    }
}

impl Default for Pipeline {
    fn default() -> Self {
        Pipeline {
            name: "wine-quality".to_owned(),
            source: Source { sample: Some("wine-quality-red".to_owned()), ..Source::default() },
            target: "quality".to_owned(),
            task: Task::Binary,
            positive: Some(">= 6".to_owned()),
            columns: BTreeMap::new(),
            schema: None,
            features: BTreeMap::new(),
            split: Split::default(),
            learners: Learners::default(),
            experiment: None,
            model: None,
            file: None,
        }
    }
}

impl Pipeline {
    /// Reads and checks a file.
    pub fn load(file: &Path) -> Result<Pipeline, Error> {
        let text = std::fs::read_to_string(file).map_err(|source| {
            let help = "; `beira init data.csv` writes one".to_owned();
            Error::File { action: "read", path: file.to_owned(), source, help }
        })?;
        let mut pipeline = Pipeline::parse(&text, &file.display().to_string())?;
        pipeline.file = Some(file.to_owned());
        Ok(pipeline)
    }

    /// Reads and checks the text of a pipeline; `file` names it in errors.
    pub fn parse(text: &str, file: &str) -> Result<Pipeline, Error> {
        let wrong = |what: String| Error::Pipeline { file: file.to_owned(), what };
        let pipeline: Pipeline = serde_norway::from_str(text).map_err(|error| wrong(error.to_string()))?;
        check::check(&pipeline).map_err(wrong)?;
        Ok(pipeline)
    }

    /// The pipeline as YAML, defaults written out.
    pub fn to_yaml(&self) -> String {
        serde_norway::to_string(self).unwrap_or_default()
    }

    /// Experiment that the run is logged to.
    pub fn experiment(&self) -> &str {
        self.experiment.as_deref().unwrap_or(&self.name)
    }

    /// Name that the model is registered by.
    pub fn model(&self) -> &str {
        self.model.as_deref().unwrap_or(&self.name)
    }

    /// The pipeline's folder, or the current one.
    pub(crate) fn folder(&self) -> PathBuf {
        self.file.as_ref().and_then(|file| file.parent()).map_or_else(PathBuf::new, Path::to_owned)
    }

    /// An error about one of the pipeline's keys.
    pub(crate) fn wrong(&self, key: &str, what: impl std::fmt::Display) -> Error {
        let file = self.file.as_ref().map_or_else(|| "pipeline".to_owned(), |file| file.display().to_string());
        Error::Pipeline { file, what: format!("{key}: {what}") }
    }
}
