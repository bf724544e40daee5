//! Every address of the dashboard; links are built here and nowhere else.

/// First page.
pub const OVERVIEW: &str = "/";
/// All experiments.
pub const EXPERIMENTS: &str = "/experiments";
/// All registered models.
pub const MODELS: &str = "/models";
/// Bring your own ONNX file.
pub const COMPILE: &str = "/compile";

/// An experiment's runs.
pub fn experiment(id: &str) -> String {
    format!("/experiments/{}", encode(id))
}

/// A run.
pub fn run(id: &str) -> String {
    format!("/runs/{}", encode(id))
}

/// A registered model.
pub fn model(name: &str) -> String {
    format!("/models/{}", encode(name))
}

/// What a model does in production.
pub fn production(name: &str) -> String {
    format!("/models/{}/production", encode(name))
}

/// A form that asks the model.
pub fn playground(name: &str) -> String {
    format!("/models/{}/playground", encode(name))
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_their_place() {
        assert_eq!(model("a/b ?é"), "/models/a%2Fb%20%3F%C3%A9");
        assert_eq!(run("0a1b-2_c.d~"), "/runs/0a1b-2_c.d~");
    }
}
