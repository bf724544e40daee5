//! A first `pipeline.yaml` for a CSV file: a guess, with the reasons beside it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use crate::data::guess;
use crate::pipeline::Kind;
use crate::read::{Raw, is_missing, read_csv};
use crate::{Error, Pipeline};

/// Writes a pipeline for `csv` to `out`: the last column is the target, the task is guessed from its
/// values, every column is listed with its kind. An existing file is not overwritten.
pub fn init(csv: &Path, out: &Path) -> Result<(), Error> {
    let raw = read_csv(csv)?;
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Beside the pipeline when that can be said with a relative path, else as it is on this machine.
    let file = match (folder, csv.is_absolute()) {
        (None, _) | (_, true) => csv.to_owned(),
        (Some(folder), false) => csv
            .strip_prefix(folder)
            .map_or_else(|_| std::path::absolute(csv).unwrap_or_else(|_| csv.to_owned()), Path::to_owned),
    };
    let name = csv.file_stem().map_or_else(|| "model".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let text = write(&raw, &file.display().to_string(), &name);
    Pipeline::parse(&text, &out.display().to_string())?;
    let wrong = |source| {
        let help = "; remove it, or choose another name with --output".to_owned();
        Error::File { action: "write", path: out.to_owned(), source, help }
    };
    let mut new = std::fs::File::create_new(out).map_err(wrong)?;
    std::io::Write::write_all(&mut new, text.as_bytes()).map_err(wrong)
}

fn write(raw: &Raw, file: &str, name: &str) -> String {
    let target = raw.header.len() - 1;
    let name: String = name.chars().map(|c| if matches!(c, '/' | ':') { '-' } else { c }).collect();
    let mut out = String::new();
    let _ = write!(
        out,
        "# Written by `beira init`: look at target and columns, then run `beira train`.\n\
         name: {name}\n\
         source:\n  csv: {file}\n\
         # What to predict: the last column, unless you say otherwise.\n\
         target: {target}\n\
         # binary, multiclass, regression; auto looks at the target's values.\n\
         task: auto\n\
         # Which values are the positive class of two, a rule or a value:\n\
         # positive: \">= 6\"\n\
         # numeric, categorical (texts out of a few), {{date: FORMAT}} or ignore.\n\
         columns:\n",
        name = quoted(&name),
        file = quoted(file),
        target = quoted(&raw.header[target]),
    );
    for (i, header) in raw.header.iter().enumerate().filter(|(i, _)| *i != target) {
        let _ = writeln!(out, "  {}: {}", quoted(header), describe(raw, i));
    }
    if target == 0 {
        out = out.replace("columns:\n", "columns: {}\n");
    }
    out.push_str(
        "# Shares of the rows; equal rows stay on one side.\n\
         split: {train: 0.6, validation: 0.2, test: 0.2, seed: 7}\n\
         # Both are fitted; the better one on the validation rows is exported.\n\
         learners:\n  linear: {l2: 1.0}\n  \
         boosting: {rounds: 400, learning_rate: 0.05, depth: 5, subsample: 0.8, colsample: 0.8, patience: 40}\n",
    );
    out
}

/// The kind, and a comment that says what was seen.
fn describe(raw: &Raw, column: usize) -> String {
    let values: Vec<&str> = raw.rows.iter().map(|row| row[column].as_str()).filter(|c| !is_missing(c)).collect();
    let missing = raw.rows.len() - values.len();
    let different = values.iter().collect::<BTreeSet<_>>().len();
    let seen = match missing {
        0 => format!("{different} different values"),
        _ => format!("{different} different values, {missing} missing"),
    };
    match guess(raw, column) {
        Ok(Kind::Numeric) => format!("numeric # {seen}"),
        Ok(Kind::Date(date)) => format!("{{date: {}}} # {seen}", serde_json::Value::from(date.format)),
        Ok(_) if different == values.len() && different > 20 => format!("ignore # {seen}: each row has its own"),
        Ok(_) => format!("categorical # {seen}"),
        Err(Error::Data { what, .. }) => format!("ignore # {seen}: {what}"),
        Err(_) => format!("ignore # {seen}"),
    }
}

/// A YAML scalar: quoted as JSON is, unless it is a plain word.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let word = text.chars().all(plain) && text.starts_with(|c: char| c.is_ascii_alphabetic());
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if word && !reserved.contains(&text.to_lowercase().as_str()) {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;

    #[test]
    fn guesses_kinds_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let (csv, out) = (folder.path().join("shop.csv"), folder.path().join("pipeline.yaml"));
        std::fs::write(&csv, "age,\"a: b\",no,empty,on,y\n1,red,x,,2024-02-01,0\n2,blue,x,,2024-02-02,1\n3,,y,,,1\n")
            .unwrap();
        init(&csv, &out).unwrap();
        let pipeline = Pipeline::load(&out).unwrap();
        let kinds: Vec<_> = pipeline.columns.iter().map(|(name, kind)| (name.as_str(), kind.clone())).collect();
        let expected = [
            ("a: b", Kind::Categorical),
            ("age", Kind::Numeric),
            ("empty", Kind::Ignore),
            ("no", Kind::Categorical),
            ("on", Kind::Date(contract::Date::new("%Y-%m-%d").unwrap())),
        ];
        assert_eq!(kinds, expected);
        assert_eq!((pipeline.target.as_str(), pipeline.name.as_str()), ("y", "shop"));
        let raw = crate::source::read(&pipeline, &mut crate::Silent).unwrap();
        assert_eq!(Data::new(&raw, &pipeline).unwrap().target.task(), "binary");
        let again = init(&csv, &out).unwrap_err().to_string();
        assert!(again.contains("pipeline.yaml") && again.contains("--output"), "{again}");
    }
}
