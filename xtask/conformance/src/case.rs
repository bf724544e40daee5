//! A test case: a folder with `model.onnx` and `test_data_set_*/{input,output}_*.pb`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use prost::Message;
use serde::{Deserialize, Serialize};
use tract_onnx::pb::{ModelProto, TensorProto};

/// Where a case lies, and under which operator it is counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Case {
    /// Name of its folder.
    pub name: String,
    /// Group, and operator where the case tests one.
    pub operator: String,
    /// Its folder.
    pub folder: PathBuf,
}

/// What lies in the folder.
pub struct Files {
    /// The model as it stands there.
    pub model: ModelProto,
    /// One for each set of inputs and expected outputs; `None` where a value is no tensor.
    pub sets: Vec<(Vec<Option<TensorProto>>, Vec<Option<TensorProto>>)>,
}

/// The cases of the groups, ordered by name.
pub fn list(data: &Path, groups: &[&str], only: Option<&str>) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for group in groups {
        let folder = data.join(group);
        let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let mut names: Vec<String> =
            entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
        names.sort();
        for name in names.into_iter().filter(|name| only.is_none_or(|only| name.contains(only))) {
            let case = folder.join(&name);
            if case.join("model.onnx").is_file() {
                let operator = if *group == "node" { operator(&folder, &name) } else { format!("({group})") };
                cases.push(Case { name, operator, folder: case });
            }
        }
    }
    Ok(cases)
}

/// The operator that a node test is about: that of its only node, also for the case with the operator's function
/// written out.
fn operator(folder: &Path, name: &str) -> String {
    let whole = name.split("_expanded").next().unwrap_or(name);
    let model = std::fs::read(folder.join(whole).join("model.onnx"))
        .or_else(|_| std::fs::read(folder.join(name).join("model.onnx")))
        .ok()
        .and_then(|bytes| ModelProto::decode(&*bytes).ok());
    let node = model.and_then(|m| m.graph?.node.into_iter().next_back());
    node.map_or("(unreadable)".into(), |n| match &*n.domain {
        "" | "ai.onnx" => n.op_type,
        domain => format!("{domain}.{}", n.op_type),
    })
}

impl Case {
    /// Reads its files.
    pub fn read(&self) -> anyhow::Result<Files> {
        let model = ModelProto::decode(&*std::fs::read(self.folder.join("model.onnx"))?)?;
        let mut sets = Vec::new();
        while let folder = self.folder.join(format!("test_data_set_{}", sets.len()))
            && folder.is_dir()
        {
            sets.push((tensors(&folder, "input")?, tensors(&folder, "output")?));
        }
        Ok(Files { model, sets })
    }
}

/// `input_0.pb`, `input_1.pb`, …
fn tensors(folder: &Path, what: &str) -> anyhow::Result<Vec<Option<TensorProto>>> {
    let mut tensors = Vec::new();
    while let Ok(bytes) = std::fs::read(folder.join(format!("{what}_{}.pb", tensors.len()))) {
        // A sequence or an optional is another message, in which the type stands elsewhere.
        tensors.push(TensorProto::decode(&*bytes).ok().filter(|t| t.data_type != 0));
    }
    Ok(tensors)
}
