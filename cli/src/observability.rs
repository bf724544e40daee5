//! `beira observability google`: dashboard and alert policies as files, from the names that the server exports.

use std::path::PathBuf;

use anyhow::Context;

/// Arguments of `observability`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    system: System,
}

#[derive(clap::Subcommand)]
enum System {
    /// Google Cloud Monitoring: a dashboard, alert policies in PromQL, and a script that creates them.
    Google {
        /// Folder to write to; made when absent.
        #[arg(long)]
        out: PathBuf,
        /// Google Cloud project of the commands; gcloud's own when absent.
        #[arg(long)]
        project: Option<String>,
    },
}

/// Writes the files, each under another name first.
pub fn write(arguments: &Arguments) -> anyhow::Result<()> {
    let System::Google { out, project } = &arguments.system;
    if let Some(project) = project {
        let fine = project.chars().all(|c| c.is_ascii_alphanumeric() || "-.:".contains(c)) && !project.is_empty();
        anyhow::ensure!(fine, "--project {project}: a project id has letters, digits and dashes");
    }
    std::fs::create_dir_all(out.join("alerts")).with_context(|| format!("cannot make {}", out.display()))?;
    for (name, text) in server::observe::google::files(project.as_deref()) {
        let (path, unfinished) = (out.join(&name), out.join(format!("{name}.unfinished")));
        std::fs::write(&unfinished, text)
            .and_then(|()| std::fs::rename(&unfinished, &path))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("wrote a dashboard and alert policies; create them with: sh {}", out.join("apply.sh").display());
    Ok(())
}
