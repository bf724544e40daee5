//! The custom sections of a module file, and its identity.
//!
//! The binary format: 8 bytes of magic and version, then sections of `id: u8, size: LEB128, content`;
//! a custom section (id 0) begins with its name (WebAssembly core specification, 5.5).

use std::ops::Range;

use contract::manifest::{GRAPH, IDENTITY, MANIFEST, SEAL, SIGNATURE};
use contract::{Manifest, Seal, hex};
use sha2::{Digest, Sha256};

use crate::Error;

/// What Beira wrote into a module.
#[derive(Clone, Debug, PartialEq)]
pub struct Sections {
    /// The compiler's part.
    pub manifest: Manifest,
    /// The compiled graph as text.
    pub graph: Option<String>,
    /// Golden rows and profile; absent until sealed.
    pub seal: Option<Seal>,
}

/// Reads the custom sections. Their JSON is parsed; whether it makes sense is for
/// [`Module::load`](crate::Module::load), which also checks the identity.
pub fn read(bytes: &[u8]) -> Result<Sections, Error> {
    let mut found: [Option<&[u8]>; 3] = [None; 3];
    for section in customs(bytes)? {
        let Some(slot) = [MANIFEST, GRAPH, SEAL].iter().position(|name| *name == section.name) else { continue };
        if found[slot].replace(&bytes[section.content]).is_some() {
            return Err(Error::Damaged(format!("two sections `{}`", section.name)));
        }
    }
    let [manifest, graph, seal] = found;
    let manifest = manifest.ok_or_else(|| Error::Manifest(format!("it has no section `{MANIFEST}`")))?;
    let json = |name: &str, error: serde_json::Error| Error::Damaged(format!("section `{name}`: {error}"));
    Ok(Sections {
        manifest: serde_json::from_slice(manifest).map_err(|error| json(MANIFEST, error))?,
        graph: graph.map(|text| String::from_utf8_lossy(text).into_owned()),
        seal: seal.map(serde_json::from_slice).transpose().map_err(|error| json(SEAL, error))?,
    })
}

/// Identity (hex) of a module: sha256 of the bytes before the sections `beira.identity` and
/// `beira.signature`; of all bytes where neither is there, or where the bytes are not a module.
pub fn sha256(bytes: &[u8]) -> String {
    let end = customs(bytes).ok().and_then(|sections| {
        sections.into_iter().find(|section| section.name == IDENTITY || section.name == SIGNATURE)
    });
    hex::encode(&Sha256::digest(&bytes[..end.map_or(bytes.len(), |section| section.start)]))
}

/// The identity, after checking that it is the one the module was sealed with. Every sealed module
/// carries it, so no changed byte goes unseen.
pub fn identity(bytes: &[u8]) -> Result<String, Error> {
    let computed = sha256(bytes);
    let sections = customs(bytes)?;
    let sealed = sections.iter().any(|section| section.name == SEAL);
    match sections.into_iter().find(|section| section.name == IDENTITY) {
        Some(section) if bytes[section.content.clone()] == *computed.as_bytes() => Ok(computed),
        None if !sealed => Ok(computed),
        Some(_) => Err(Error::Damaged("its bytes are not the ones that were sealed (sha256 differs)".to_owned())),
        None => Err(Error::Damaged(format!("it has a seal but no section `{IDENTITY}`"))),
    }
}

/// Appends a custom section.
pub fn append(module: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut payload = leb128(name.len());
    payload.extend_from_slice(name.as_bytes());
    payload.extend_from_slice(content);
    module.push(0);
    module.extend(leb128(payload.len()));
    module.extend(payload);
}

struct Custom<'a> {
    name: &'a str,
    /// Where the section's id byte is.
    start: usize,
    content: Range<usize>,
}

fn customs(bytes: &[u8]) -> Result<Vec<Custom<'_>>, Error> {
    if !bytes.starts_with(b"\0asm\x01\0\0\0") {
        return Err(Error::Damaged("it does not begin like a WebAssembly module".to_owned()));
    }
    let cut = || Error::Damaged("the file is cut off in the middle of a section".to_owned());
    let mut sections = Vec::new();
    let mut at = 8;
    while at < bytes.len() {
        let start = at;
        let id = bytes[at];
        at += 1;
        let size = read_leb128(bytes, &mut at).ok_or_else(cut)?;
        let end = at.checked_add(size).filter(|end| *end <= bytes.len()).ok_or_else(cut)?;
        if id == 0 {
            let length = read_leb128(&bytes[..end], &mut at).ok_or_else(cut)?;
            let name = at.checked_add(length).filter(|name_end| *name_end <= end).ok_or_else(cut)?;
            let text = std::str::from_utf8(&bytes[at..name])
                .map_err(|_| Error::Damaged("a section's name is not UTF-8".to_owned()))?;
            sections.push(Custom { name: text, start, content: name..end });
        }
        at = end;
    }
    Ok(sections)
}

fn read_leb128(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0u32;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        let bits = u32::from(byte & 0x7f);
        if shift == 28 && bits > 15 {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(value as usize);
        }
    }
    None
}

fn leb128(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return bytes;
        }
    }
}
