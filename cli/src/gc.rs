//! `beira gc`: what was deleted softly goes for good.

use server::housekeeping::gc::{What, gc as collect};

use crate::kept::{Kept, progress};
use crate::process;

/// Arguments of `gc`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    kept: Kept,
    /// The root that the server gives to experiments, where it is not the server itself.
    #[arg(long, value_name = "URI")]
    default_artifact_root: Option<String>,
    /// Only what was deleted so long ago: 30d, 12h, 1d12h.
    #[arg(long, default_value = "0d", value_parser = duration)]
    older_than: i64,
    /// Only these experiments and what is in them.
    #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
    experiment_ids: Vec<i64>,
    /// Say what would go, and delete nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Milliseconds of `1d12h30m5s`.
fn duration(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no time such as 30d, 12h or 1d12h");
    let (mut ms, mut number) = (0i64, String::new());
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            'd' => 86_400_000,
            'h' => 3_600_000,
            'm' => 60_000,
            's' => 1000,
            _ => return Err(wrong()),
        };
        let count: i64 = number.parse().map_err(|_| wrong())?;
        ms = count.checked_mul(unit).and_then(|part| ms.checked_add(part)).ok_or_else(wrong)?;
        number.clear();
    }
    if text.is_empty() || !number.is_empty() { Err(wrong()) } else { Ok(ms) }
}

/// Deletes and says how much.
pub fn gc(arguments: &Arguments) -> anyhow::Result<()> {
    let kept = arguments.kept.kept(arguments.default_artifact_root.clone());
    let what = What {
        older_than: arguments.older_than,
        experiments: arguments.experiment_ids.clone(),
        dry_run: arguments.dry_run,
    };
    let gone = process::run(async { collect(&kept, &what, &progress()).await })??;
    println!("{}{gone}", if what.dry_run { "would delete " } else { "deleted " });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(duration(text).ok(), expected, "{text}");
        check("30d", Some(2_592_000_000));
        check("1d12h30m5s", Some(131_405_000));
        check("0s", Some(0));
        for wrong in ["", "30", "d", "1w", "-1d", "99999999999999999d"] {
            check(wrong, None);
        }
    }
}
