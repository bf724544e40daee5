//! GitHub Actions: the report on the job's page, and the verdict for later steps.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use crate::Error;
use crate::gate::Report;

/// Appends to the files that the runner names; elsewhere there are none.
pub(super) fn tell(report: &Report) -> Result<(), Error> {
    append("GITHUB_STEP_SUMMARY", &(report.markdown() + "\n"))?;
    let reason: String = report.reason.chars().filter(|c| !c.is_control()).collect();
    append("GITHUB_OUTPUT", &format!("verdict={}\nreason={reason}\n", report.verdict))
}

fn append(variable: &str, text: &str) -> Result<(), Error> {
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(());
    };
    let opened = OpenOptions::new().append(true).create(true).open(&path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|source| {
        let help = format!("; the variable {variable} names it");
        Error::File { action: "write", path, source, help }
    })
}
