//! The static binary that an image `FROM scratch` can start.

use std::path::Path;

use anyhow::{Context, bail};

/// The bytes of `given`, else of this program; refused when it would need a loader.
pub fn find(given: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => std::env::current_exe().context("this program's own path")?,
    };
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    match (check(&bytes), given) {
        (Ok(()), _) => Ok(bytes),
        (Err(what), Some(_)) => bail!("--binary {}: {what}", path.display()),
        (Err(what), None) => bail!(
            "an image FROM scratch needs a static x86-64 Linux binary, and this program is not one ({what}); \
             pass --binary FILE: the one in the release's beira-…-x86_64-unknown-linux-musl.tar.gz, or what cargo xtask image builds"
        ),
    }
}

/// ELF for x86-64 Linux without a program header for an interpreter (System V ABI, "Program Header").
fn check(bytes: &[u8]) -> Result<(), &'static str> {
    const INTERPRETER: u32 = 3;
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        return Err("it is no 64-bit ELF file");
    }
    let at = |offset: usize, n: usize| -> Option<u64> {
        let field = bytes.get(offset..offset.checked_add(n)?)?;
        Some(field.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    };
    let cut = "it is cut off";
    if at(18, 2).ok_or(cut)? != 62 {
        return Err("it is not for x86-64");
    }
    let (table, size, count) = (at(32, 8).ok_or(cut)?, at(54, 2).ok_or(cut)?, at(56, 2).ok_or(cut)?);
    for i in 0..count {
        let header = table.checked_add(i * size).and_then(|offset| usize::try_from(offset).ok()).ok_or(cut)?;
        if at(header, 4).ok_or(cut)? == u64::from(INTERPRETER) {
            return Err("it is linked dynamically");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    /// An ELF header with one program header of type `kind`.
    fn elf(machine: u8, kind: u8) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (bytes[18], bytes[32], bytes[54], bytes[56], bytes[64]) = (machine, 64, 56, 1, kind);
        bytes
    }

    #[test]
    fn what_needs_no_loader() {
        assert_eq!(check(&elf(62, 1)), Ok(()));
        assert_eq!(check(&elf(62, 3)), Err("it is linked dynamically"));
        assert_eq!(check(&elf(183, 1)), Err("it is not for x86-64"));
        assert_eq!(check(&elf(62, 1)[..70]), Ok(()));
        assert_eq!(check(&elf(62, 1)[..60]), Err("it is cut off"));
        assert_eq!(check(b"#!/bin/sh\n"), Err("it is no 64-bit ELF file"));
    }
}
