//! How a model is named: `models:/NAME/7`, `models:/NAME/latest`, `models:/NAME@ALIAS`, or a file.

use std::path::PathBuf;

use crate::Error;
use crate::tracking::At;

/// The alias that production follows.
pub(super) const CHAMPION: &str = "champion";

/// A model, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// A registered version.
    Registered { name: String, at: At },
    /// A compiled module; its ONNX file may stand beside it.
    Wasm(PathBuf),
    /// An ONNX file, which is compiled.
    Onnx(PathBuf),
    /// A pipeline, which is fitted.
    Pipeline(PathBuf),
}

impl Reference {
    /// Reads a reference.
    pub fn parse(text: &str) -> Result<Reference, Error> {
        let wrong = |what: &str| Err(Error::Model { reference: text.to_owned(), what: what.to_owned() });
        let Some(rest) = text.strip_prefix("models:/") else {
            let path = PathBuf::from(text);
            return match path.extension().and_then(|ending| ending.to_str()) {
                Some("wasm") => Ok(Reference::Wasm(path)),
                Some("onnx") => Ok(Reference::Onnx(path)),
                Some("yaml" | "yml") => Ok(Reference::Pipeline(path)),
                _ => wrong("models:/NAME/VERSION, models:/NAME@ALIAS, or a .wasm, .onnx or .yaml file is needed"),
            };
        };
        let (name, at) = match (rest.split_once('@'), rest.rsplit_once('/')) {
            (Some((name, alias)), _) => (name, At::Alias(alias.to_owned())),
            (None, Some((name, "latest"))) => (name, At::Latest),
            (None, Some((name, version))) => (name, At::Number(version.to_owned())),
            (None, None) => {
                return wrong("a version or an alias is missing: models:/NAME/VERSION or models:/NAME@ALIAS");
            }
        };
        if name.is_empty() || matches!(&at, At::Alias(which) | At::Number(which) if which.is_empty()) {
            return wrong("a name and a version or alias are needed");
        }
        Ok(Reference::Registered { name: name.to_owned(), at })
    }

    /// What production runs of a model.
    pub fn champion(name: &str) -> Reference {
        Reference::Registered { name: name.to_owned(), at: At::Alias(CHAMPION.to_owned()) }
    }

    /// Whether it is the alias that nobody has before the first deployment.
    pub fn is_champion(&self) -> bool {
        matches!(self, Reference::Registered { at: At::Alias(alias), .. } if alias == CHAMPION)
    }

    /// The error that says it is not there.
    pub fn missing(&self) -> Error {
        let what = match self {
            Reference::Registered { name, at: At::Number(_) } => format!("{name} has no such version"),
            Reference::Registered { name, at: At::Latest } => format!("{name} has no version"),
            Reference::Registered { name, at: At::Alias(_) } => format!("no version of {name} has this alias"),
            _ => "it is not there".to_owned(),
        };
        Error::Model { reference: self.to_string(), what }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reference::Registered { name, at: At::Number(version) } => write!(f, "models:/{name}/{version}"),
            Reference::Registered { name, at: At::Latest } => write!(f, "models:/{name}/latest"),
            Reference::Registered { name, at: At::Alias(alias) } => write!(f, "models:/{name}@{alias}"),
            Reference::Wasm(path) | Reference::Onnx(path) | Reference::Pipeline(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let got = Reference::parse(text).map_or_else(|error| error.to_string(), |found| format!("{found:?}"));
        assert_eq!(got, expected);
    }

    #[test]
    fn references() {
        check("models:/wine/7", r#"Registered { name: "wine", at: Number("7") }"#);
        check("models:/wine@champion", r#"Registered { name: "wine", at: Alias("champion") }"#);
        check("models:/wine/latest", r#"Registered { name: "wine", at: Latest }"#);
        check("a/b.wasm", r#"Wasm("a/b.wasm")"#);
        check("b.onnx", r#"Onnx("b.onnx")"#);
        check("p.yml", r#"Pipeline("p.yml")"#);
        let missing = "a version or an alias is missing: models:/NAME/VERSION or models:/NAME@ALIAS";
        check("models:/wine", &format!("models:/wine: {missing}"));
        check("models:/wine@", "models:/wine@: a name and a version or alias are needed");
        check("wine", "wine: models:/NAME/VERSION, models:/NAME@ALIAS, or a .wasm, .onnx or .yaml file is needed");
    }
}
