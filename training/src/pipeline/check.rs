//! What a pipeline must hold beyond its types; errors name the key.

use super::{Boosting, Linear, Pipeline, Positive, Schema, Task};

/// Checks everything that can be checked without the data.
pub(super) fn check(pipeline: &Pipeline) -> Result<(), String> {
    name("name", &pipeline.name)?;
    name("model", pipeline.model())?;
    if pipeline.experiment().trim().is_empty() {
        return Err("experiment: a name is needed".to_owned());
    }
    pipeline.source.check()?;
    pipeline.schema.as_ref().map_or(Ok(()), Schema::check)?;
    for (name, feature) in &pipeline.features {
        feature.check().map_err(|what| format!("features.{name}: {what}"))?;
    }
    if let Some(rule) = &pipeline.positive {
        Positive::parse(rule).map_err(|what| format!("positive: {what}"))?;
        if matches!(pipeline.task, Task::Multiclass | Task::Regression) {
            return Err("positive: it makes two classes, so `task` must be `binary` or `auto`".to_owned());
        }
    }
    if pipeline.columns.contains_key(&pipeline.target) {
        return Err("columns: the target is listed; its kind follows from `task`".to_owned());
    }
    let split = &pipeline.split;
    for (key, share) in [("train", split.train), ("validation", split.validation), ("test", split.test)] {
        between(&format!("split.{key}"), share, 0.01, 0.98)?;
    }
    let sum = split.train + split.validation + split.test;
    if (sum - 1.0).abs() > 1e-6 {
        return Err(format!("split: train, validation and test must sum to 1, not {sum:.3}"));
    }
    if pipeline.learners.linear.is_none() && pipeline.learners.boosting.is_none() {
        return Err("learners: none is given; write `linear: {}`, `boosting: {}` or both".to_owned());
    }
    pipeline.learners.linear.as_ref().map_or(Ok(()), linear)?;
    pipeline.learners.boosting.as_ref().map_or(Ok(()), boosting)
}

/// Names that the registry takes: not blank, no `/` and no `:`.
fn name(key: &str, name: &str) -> Result<(), String> {
    if name.trim().is_empty() || name.contains(['/', ':']) {
        return Err(format!("{key}: a name without `/` and `:` is needed"));
    }
    Ok(())
}

fn linear(linear: &Linear) -> Result<(), String> {
    between("learners.linear.l2", linear.l2, 0.0, 1e9)?;
    between("learners.linear.iterations", linear.iterations as f64, 1.0, 100_000.0)
}

fn boosting(boosting: &Boosting) -> Result<(), String> {
    between("learners.boosting.rounds", boosting.rounds as f64, 1.0, 100_000.0)?;
    between("learners.boosting.learning_rate", boosting.learning_rate, 1e-6, 1.0)?;
    between("learners.boosting.depth", boosting.depth as f64, 1.0, 16.0)?;
    between("learners.boosting.min_child_weight", boosting.min_child_weight, 0.0, 1e9)?;
    between("learners.boosting.lambda", boosting.lambda, 0.0, 1e9)?;
    between("learners.boosting.subsample", boosting.subsample, 0.01, 1.0)?;
    between("learners.boosting.colsample", boosting.colsample, 0.01, 1.0)?;
    between("learners.boosting.patience", boosting.patience as f64, 1.0, 100_000.0)
}

fn between(key: &str, value: f64, low: f64, high: f64) -> Result<(), String> {
    if (low..=high).contains(&value) { Ok(()) } else { Err(format!("{key}: a number from {low} to {high} is needed")) }
}

#[cfg(test)]
mod tests {
    use crate::Pipeline;

    fn check(tail: &str, expected: &str) {
        let yaml = format!("name: t\nsource: {{csv: t.csv}}\ntarget: y\n{tail}\n");
        let error = Pipeline::parse(&yaml, "pipeline.yaml").unwrap_err().to_string();
        assert!(error.starts_with("pipeline.yaml: ") && error.contains(expected), "{error}");
    }

    #[test]
    fn errors_name_file_key_and_line() {
        check("tagret: y", "unknown field `tagret`");
        check("tagret: y", "line 4");
        check("split: {train: 0.5}", "split: train, validation and test must sum to 1, not 0.900");
        check("columns: {a: nmeric}", "columns.a: unknown variant `nmeric`");
        check("learners: {}", "learners: none is given");
        check("learners: {boosting: {depth: 0}}", "learners.boosting.depth: a number from 1 to 16");
        check("positive: '>= six'", "positive: ");
        check("model: a/b", "model: a name without `/`");
        check("columns: {y: numeric}", "columns: the target is listed");
        check("columns: {a: date}", "columns.a: how are the dates written? for example `{date: \"%Y-%m-%d\"}`");
        check("columns: {a: {date: '%Y'}}", "columns.a: the date format `%Y` needs one month");
        check("features: {a: {bucket: [2, 1]}}", "features.a: bucket: the edges are not ascending");
        check("features: {a: {one_hot: true, log: true}}", "features.a: `one_hot` and `ordinal` take texts");
        check("features: {a: {lgo: true}}", "features.a: unknown field `lgo`");
        check("schema: {columns: {a: {min: 1}}}", "schema.columns.a: `min` and `max` need `type: number`");
        check("schema: {columns: {a: {missing: 2}}}", "schema.columns.a.missing: a share from 0 to 1");
    }

    #[test]
    fn sources_are_one_of_four() {
        let check = |source: &str, expected: &str| {
            let error =
                Pipeline::parse(&format!("{{name: t, source: {source}, target: y}}"), "p").unwrap_err().to_string();
            assert_eq!(error, format!("p: {expected}"));
        };
        let one = "source: give one of `csv: FILE`, `parquet: FILE`, `url: ADDRESS` and `sample: NAME`";
        check("{}", one);
        check("{csv: a, url: 'https://x/y.csv'}", one);
        check("{sample: iris}", "source.sample: no such sample; there are wine-quality-red, mixed");
        check("{url: 'ftp://x'}", "source.url: an address like https://… or kaggle://owner/dataset[/file] is needed");
        check("{url: 'kaggle://x'}", "source.url: kaggle://owner/dataset[/file] is needed");
        check("{csv: a, file: b}", "source: `file` and `sha256` belong to a `url`");
    }

    #[test]
    fn the_default_is_a_file_that_reads_back() {
        let yaml = Pipeline::default().to_yaml();
        assert_eq!(Pipeline::parse(&yaml, "p").unwrap(), Pipeline::default());
    }
}
