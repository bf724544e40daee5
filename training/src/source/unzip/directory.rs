//! What a zip archive holds: its central directory (PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16), with
//! ZIP64 for archives beyond 4 GiB. Stored and deflated files are read.
//!
//! Our own, because the crate zip turns features of shared crates on, by which everything would be built twice.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use flate2::read::DeflateDecoder;

/// One file of an archive.
pub(super) struct Entry {
    /// Below the archive's root; `None` for a link, or for a path that leads outside.
    pub path: Option<PathBuf>,
    /// A folder: its name ends with a slash.
    pub is_folder: bool,
    /// CRC-32 of the content.
    pub crc: u32,
    method: u16,
    encrypted: bool,
    compressed: u64,
    offset: u64,
}

/// Longest directory.
const DIRECTORY_MAX: u64 = 64 << 20;
/// The end record is this long, and a comment of at most 64 KiB follows it.
const END: usize = 22;

/// Reads the directory.
pub(super) fn read(file: &mut File) -> Result<Vec<Entry>, String> {
    let broken = |error: std::io::Error| format!("it is no zip archive, or damaged ({})", error.kind());
    let length = file.metadata().map_err(broken)?.len();
    let tail = length.min(END as u64 + 0xffff);
    let mut bytes = vec![0; tail as usize];
    at(file, length - tail, &mut bytes).map_err(broken)?;
    let is_end = |i: &usize| {
        bytes[*i..].starts_with(b"PK\x05\x06") && usize::from(u16_at(&bytes, i + 20)) == bytes.len() - i - END
    };
    let end =
        (0..(bytes.len() + 1).saturating_sub(END)).rev().find(is_end).ok_or("it is no zip archive, or cut off")?;
    let (mut count, mut size) = (u64::from(u16_at(&bytes, end + 10)), u64::from(u32_at(&bytes, end + 12)));
    let mut start = u64::from(u32_at(&bytes, end + 16));
    if count == 0xffff || size == 0xffff_ffff || start == 0xffff_ffff {
        let locator = end.checked_sub(20).filter(|i| bytes[*i..].starts_with(b"PK\x06\x07"));
        let locator = locator.ok_or("its ZIP64 record is missing")?;
        let mut record = [0; 56];
        at(file, u64_at(&bytes, locator + 8), &mut record).map_err(broken)?;
        (count, size, start) = (u64_at(&record, 32), u64_at(&record, 40), u64_at(&record, 48));
    }
    if size > DIRECTORY_MAX || size / 46 < count {
        return Err("its directory is damaged, or too long".to_owned());
    }
    let mut directory = vec![0; size as usize];
    at(file, start, &mut directory).map_err(broken)?;
    let mut rest = directory.as_slice();
    (0..count).map(|_| entry(&mut rest).ok_or_else(|| "its directory is damaged".to_owned())).collect()
}

/// The content of a file, unpacked.
pub(super) fn content<'a>(file: &'a mut File, entry: &Entry) -> Result<Box<dyn Read + 'a>, String> {
    let broken = |error: std::io::Error| format!("it is damaged ({})", error.kind());
    let mut header = [0; 30];
    at(file, entry.offset, &mut header).map_err(broken)?;
    if !header.starts_with(b"PK\x03\x04") {
        return Err("it is damaged".to_owned());
    }
    let skip = u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
    file.seek(SeekFrom::Start(entry.offset.saturating_add(30 + skip))).map_err(broken)?;
    let packed = file.take(entry.compressed);
    match entry.method {
        _ if entry.encrypted => Err("it is encrypted".to_owned()),
        0 => Ok(Box::new(packed)),
        8 => Ok(Box::new(DeflateDecoder::new(packed))),
        _ => Err("it is packed in another way than deflate".to_owned()),
    }
}

fn entry(rest: &mut &[u8]) -> Option<Entry> {
    let header = rest.get(..46).filter(|header| header.starts_with(b"PK\x01\x02"))?;
    let lengths = [28, 30, 32].map(|i| usize::from(u16_at(header, i)));
    let (name, extra) = rest.get(46..46 + lengths[0] + lengths[1])?.split_at(lengths[0]);
    let mut entry = Entry {
        path: None,
        is_folder: name.ends_with(b"/"),
        crc: u32_at(header, 16),
        method: u16_at(header, 10),
        encrypted: u16_at(header, 8) & 1 != 0,
        compressed: u32_at(header, 20).into(),
        offset: u32_at(header, 42).into(),
    };
    wide(&mut entry, u32_at(header, 24), extra);
    // A link, in the upper half of the attributes, by archivers of Unix.
    let is_link = header[5] == 3 && u32_at(header, 38) >> 28 == 0o12;
    entry.path = inside(&String::from_utf8_lossy(name)).filter(|_| !is_link);
    *rest = rest.get(46 + lengths.iter().sum::<usize>()..)?;
    Some(entry)
}

/// Sizes and offset of ZIP64: those of the header that are all ones stand, in this order, in an extra field.
fn wide(entry: &mut Entry, size: u32, mut extra: &[u8]) {
    while extra.len() >= 4 {
        let (kind, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let field = extra.get(4..4 + length).unwrap_or_default();
        if kind == 1 {
            let mut values = field.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
            if size == u32::MAX {
                values.next();
            }
            for value in [&mut entry.compressed, &mut entry.offset] {
                if *value == u64::from(u32::MAX) {
                    *value = values.next().unwrap_or(*value);
                }
            }
        }
        extra = extra.get(4 + length..).unwrap_or_default();
    }
}

/// A path that stays inside of the folder it is joined to, on every system.
fn inside(name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    (plain && !name.is_empty() && !name.contains(['\\', ':', '\0'])).then(|| path.to_owned())
}

fn at(file: &mut File, offset: u64, bytes: &mut [u8]) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}

fn u16_at(bytes: &[u8], i: usize) -> u16 {
    u16::from_le_bytes([bytes[i], bytes[i + 1]])
}

fn u32_at(bytes: &[u8], i: usize) -> u32 {
    u32::from(u16_at(bytes, i)) | u32::from(u16_at(bytes, i + 2)) << 16
}

fn u64_at(bytes: &[u8], i: usize) -> u64 {
    u64::from(u32_at(bytes, i)) | u64::from(u32_at(bytes, i + 4)) << 32
}
