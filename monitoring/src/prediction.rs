//! Prediction ids that describe themselves: a late label finds its place, and nothing is stored per prediction.
//!
//! An id is hex. Big-endian, in this order:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | bits 0–3 format (1), bits 4–5 origin (browser, edge, server), bit 6 a value follows, bit 7 a MAC ends it |
//! | 8 | first bytes of the module's sha256 |
//! | 4 | minute since 1970 |
//! | 2 | bin of the score, 0xffff without |
//! | 2 | predicted class, 0xffff without |
//! | 8 | nonce |
//! | 0 or 4 | the predicted number as f32, where the model predicts a number |
//! | 0 or 16 | HMAC-SHA256 (RFC 2104) of all bytes before, its first half |
//!
//! So a class is exact, a score is known to its bin, and a predicted number to the bit of an f32.

use contract::{Origin, hex};

use crate::hmac::{equal, hmac_sha256};

const FORMAT: u8 = 1;
const NONE: u16 = u16::MAX;
const MAC_BYTES: usize = 16;

/// What one prediction came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Bin of the score.
    pub bin: Option<u16>,
    /// Position of the predicted class among the classes.
    pub class: Option<u16>,
    /// The predicted number, where it is not a class.
    pub value: Option<f32>,
}

/// What an id says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// First eight bytes of the module's sha256.
    pub module: [u8; 8],
    /// Where it was made.
    pub origin: Origin,
    /// Minutes since 1970 (UTC).
    pub minute: u32,
    /// Different for every prediction of a module.
    pub nonce: u64,
    /// What was predicted.
    pub outcome: Outcome,
}

/// Why a text is no id of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// Not what [`Prediction::id`] writes.
    Malformed,
    /// It carries a MAC that no known key gives.
    Forged,
}

/// The module's part of an id.
pub fn module(sha256: &str) -> Option<[u8; 8]> {
    hex::decode(sha256.get(..16)?)?.try_into().ok()
}

impl Prediction {
    /// The id; with a MAC where there is a key.
    pub fn id(&self, key: Option<&[u8]>) -> String {
        let Outcome { bin, class, value } = self.outcome;
        let mut bytes = Vec::with_capacity(45);
        let flags = u8::from(value.is_some()) << 6 | u8::from(key.is_some()) << 7;
        bytes.push(FORMAT | (self.origin as u8) << 4 | flags);
        bytes.extend(self.module);
        bytes.extend(self.minute.to_be_bytes());
        bytes.extend(bin.unwrap_or(NONE).to_be_bytes());
        bytes.extend(class.unwrap_or(NONE).to_be_bytes());
        bytes.extend(self.nonce.to_be_bytes());
        bytes.extend(value.iter().flat_map(|value| value.to_be_bytes()));
        if let Some(key) = key {
            let mac = hmac_sha256(key, &[&bytes]);
            bytes.extend(&mac[..MAC_BYTES]);
        }
        hex::encode(&bytes)
    }

    /// Reads an id; true beside it when one of `keys` signed it.
    pub fn read(id: &str, keys: &[Vec<u8>]) -> Result<(Prediction, bool), Bad> {
        let bytes = hex::decode(id).ok_or(Bad::Malformed)?;
        let first = *bytes.first().ok_or(Bad::Malformed)?;
        let (has_value, has_mac) = (first & 1 << 6 != 0, first & 1 << 7 != 0);
        let length = 25 + if has_value { 4 } else { 0 };
        if first & 15 != FORMAT || bytes.len() != length + if has_mac { MAC_BYTES } else { 0 } {
            return Err(Bad::Malformed);
        }
        let (said, proof) = bytes.split_at(length);
        if has_mac && !keys.iter().any(|key| equal(&hmac_sha256(key, &[said])[..MAC_BYTES], proof)) {
            return Err(Bad::Forged);
        }
        let origin =
            *[Origin::Browser, Origin::Edge, Origin::Server].get(usize::from(first >> 4 & 3)).ok_or(Bad::Malformed)?;
        let known = |value: u16| (value != NONE).then_some(value);
        let prediction = Prediction {
            module: part(said, 1),
            origin,
            minute: u32::from_be_bytes(part(said, 9)),
            nonce: u64::from_be_bytes(part(said, 17)),
            outcome: Outcome {
                bin: known(u16::from_be_bytes(part(said, 13))),
                class: known(u16::from_be_bytes(part(said, 15))),
                value: has_value.then(|| f32::from_be_bytes(part(said, 25))),
            },
        };
        Ok((prediction, has_mac))
    }
}

/// `N` bytes at `from`; the length was checked.
fn part<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[from..from + N]);
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: Prediction = Prediction {
        module: [1, 2, 3, 4, 5, 6, 7, 8],
        origin: Origin::Edge,
        minute: 29_000_000,
        nonce: 0xfeed,
        outcome: Outcome { bin: Some(7), class: Some(1), value: None },
    };

    #[test]
    fn there_and_back() {
        let number = Prediction {
            origin: Origin::Server,
            outcome: Outcome { bin: Some(0), class: None, value: Some(-0.1) },
            ..EXAMPLE
        };
        let bare = Prediction { origin: Origin::Browser, outcome: Outcome::default(), ..EXAMPLE };
        for prediction in [EXAMPLE, number, bare] {
            for key in [None, Some(&b"secret"[..])] {
                let id = prediction.id(key);
                let keys = [b"another".to_vec(), b"secret".to_vec()];
                assert_eq!(Prediction::read(&id, &keys), Ok((prediction, key.is_some())), "{id}");
                assert_eq!(Prediction::read(&id.to_uppercase(), &keys), Ok((prediction, key.is_some())));
            }
        }
        assert_eq!(EXAMPLE.id(None), "11010203040506070801ba8140 0007 0001 000000000000feed".replace(' ', ""));
        assert_eq!(module("0102030405060708ffff"), Some(EXAMPLE.module));
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let id = EXAMPLE.id(Some(b"secret"));
        let read = |id: &str| Prediction::read(id, &[b"secret".to_vec()]).unwrap_err();
        for text in ["", "zz", "12", &id[2..], &id[..id.len() - 2], &format!("{id}00"), &"é".repeat(41)] {
            assert_eq!(read(text), Bad::Malformed, "{text}");
        }
        for at in (2..id.len()).step_by(2) {
            let mut changed = hex::decode(&id).unwrap();
            changed[at / 2] ^= 1;
            assert_eq!(read(&hex::encode(&changed)), Bad::Forged, "byte {}", at / 2);
        }
        assert_eq!(Prediction::read(&id, &[]).unwrap_err(), Bad::Forged);
    }
}
