//! Which names and ids are allowed, with MLflow's texts. Pure.

use crate::error::{Error, Result};
use crate::fields::shown;

const CHARACTERS: &str = "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).";
const AS_FILES: &str =
    "Names may be treated as files in certain cases, and must not resolve to other names when treated as such.";

/// Name of a metric, parameter or tag; `what` it is and `at` which place of the request go into the message.
pub fn key(what: &str, at: &str, name: &str) -> Result<()> {
    let invalid = |why: &str| {
        Err(Error::invalid(format!("Invalid value {} for parameter '{at}' supplied: {why}", shown(&name.into()))))
    };
    if name.chars().count() > 250 {
        return Err(Error::invalid(format!("{what} key exceeds the maximum length of 250 characters.")));
    }
    if !name.chars().all(|c| c.is_alphanumeric() || "_/.-: ".contains(c)) {
        return invalid(CHARACTERS);
    }
    if !name.contains(['/', '.']) && !name.is_empty() {
        return Ok(());
    }
    let resolved = resolved(name);
    if resolved == name && name != "." && !name.starts_with("..") && !name.starts_with('/') {
        Ok(())
    } else {
        invalid(&format!("{AS_FILES} This name would resolve to '{resolved}'"))
    }
}

/// The path that `name` would be as a file, without `.`, `..` and doubled slashes (POSIX).
fn resolved(name: &str) -> String {
    let rooted = name.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last()) {
            ("..", Some(last)) if *last != ".." => drop(parts.pop()),
            ("..", None) if rooted => {}
            _ => parts.push(part),
        }
    }
    let root = if name.starts_with("//") && !name.starts_with("///") { "//" } else { "/" };
    match (rooted, parts.join("/")) {
        (true, path) => format!("{root}{path}"),
        (false, path) if path.is_empty() => ".".to_owned(),
        (false, path) => path,
    }
}

/// Number of ids in a list, called `id` one by one, that `request` needs.
pub fn count(request: &str, id: &str, count: usize, most: usize) -> Result<()> {
    if count == 0 {
        return Err(Error::invalid(format!("{request} request must specify at least one {id}.")));
    }
    if count > most {
        return Err(Error::invalid(format!(
            "{request} request cannot specify more than {most} {id}s. Received {count} {id}s."
        )));
    }
    Ok(())
}

/// Name of a registered model.
pub fn registered_model(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(Error::invalid("Registered model name cannot be empty."));
    }
    if name.contains(['/', ':']) || name == "." || name == ".." {
        return Err(Error::invalid(
            "Invalid Registered Model name. Names must not contain ':' or '/', nor be '.' or '..'.",
        ));
    }
    if name.chars().count() > 256 {
        return Err(Error::invalid("Registered model name is longer than 256 characters."));
    }
    Ok(())
}

/// Name of a logged model.
pub fn logged_model(name: &str) -> Result<()> {
    if name.is_empty() || name.contains(['/', ':', '.', '%', '"', '\'']) {
        return Err(Error::invalid(
            "Invalid model name provided. Model name must be a non-empty string and cannot contain the following characters: / : . % \" '",
        ));
    }
    Ok(())
}

/// Alias of a registered model.
pub fn alias(alias: &str) -> Result<()> {
    let version_like =
        alias.strip_prefix(['v', 'V']).is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()));
    if alias.is_empty() || alias.len() > 255 || !alias.chars().all(|c| c.is_alphanumeric() || "_-".contains(c)) {
        return Err(Error::invalid(
            "Invalid alias name. Names may only contain alphanumerics, underscores (_) and dashes (-), at most 255.",
        ));
    }
    if alias.eq_ignore_ascii_case("latest") || version_like {
        return Err(Error::invalid(
            "'latest' and names such as 'v1' are reserved, they cannot be set as model aliases.",
        ));
    }
    Ok(())
}

/// Stage in its canonical spelling.
pub fn stage(stage: &str) -> Result<&'static str> {
    ["None", "Staging", "Production", "Archived"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(stage))
        .ok_or_else(|| {
            Error::invalid("Invalid Model Version stage. Value must be one of None, Staging, Production, Archived.")
        })
}

/// At most `most` characters of `value`.
pub fn truncate(value: String, most: usize) -> String {
    match value.char_indices().nth(most) {
        Some((end, _)) => value[..end].to_owned(),
        None => value,
    }
}

/// An experiment's id as the number it is.
pub fn experiment_id(id: &str) -> Result<i64> {
    id.parse().map_err(|_| {
        let shown: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c)).take(40).collect();
        Error::invalid(format!("Invalid experiment ID '{shown}'. Experiment ID must be a valid integer."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for good in ["a", "a/b", "train loss", "a.b-c:d_e", "größe"] {
            assert!(key("metric", "name", good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "../a", "/a", "a//b", "a/../b", "a/", "a\nb", "a#b", "a'b"] {
            assert!(key("metric", "name", bad).is_err(), "{bad}");
        }
        for (name, expected) in [("a/../b", "b"), ("../a//", "../a"), ("/../a", "/a"), ("", "."), ("//a", "//a")] {
            assert_eq!(resolved(name), expected);
        }
    }

    #[test]
    fn aliases() {
        for (name, good) in
            [("champion", true), ("v1", false), ("V12", false), ("vx", true), ("Latest", false), ("a b", false)]
        {
            assert_eq!(alias(name).is_ok(), good, "{name}");
        }
    }
}
