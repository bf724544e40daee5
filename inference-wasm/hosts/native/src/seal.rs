//! Sealing: a module runs once where it was made, and takes its answers along.

use contract::manifest::{Golden, IDENTITY, SEAL};
use contract::{Datatype, Manifest, Profile, Seal, TensorSpec, half, hex};

use crate::{Batch, Error, Module, sections};

/// Runs `golden` and appends the sections `beira.seal` and `beira.identity`. The result has been
/// loaded once, so the next host need not be the first to find a fault.
pub fn seal(unsealed: &[u8], golden: &Batch, profile: Option<Profile>) -> Result<Vec<u8>, Error> {
    let module = Module::load(unsealed)?;
    if module.seal().is_some() {
        return Err(Error::Seal("the module is sealed already".to_owned()));
    }
    let rows = u32::try_from(golden.rows).map_err(|_| Error::Seal("golden: too many rows".to_owned()))?;
    let outputs = module.run(golden)?;
    let part = |(spec, region): (&TensorSpec, &Vec<u8>)| hex::encode(part(spec, region));
    let inputs = module.manifest().inputs.iter().zip(&golden.inputs).map(part).collect();
    let outputs = outputs.iter().map(|region| hex::encode(region)).collect();
    let seal = Seal { golden: Golden { rows, inputs, outputs }, profile };
    let json = serde_json::to_vec(&seal).map_err(|error| Error::Seal(error.to_string()))?;
    let mut sealed = unsealed.to_vec();
    sections::append(&mut sealed, SEAL, &json);
    let identity = sections::sha256(&sealed);
    sections::append(&mut sealed, IDENTITY, identity.as_bytes());
    Module::load(&sealed)?;
    Ok(sealed)
}

/// Elements of which longer [`pseudo_rows`] are made; a prime, so that a picture's lines differ.
const PERIOD: usize = 1021;

/// Bytes of an answer's region beyond which there are fewer rows: nothing makes them shorter in the seal.
const LONG: usize = 64 << 10;

/// As much of a region as its repetition makes the whole of.
fn part<'a>(spec: &TensorSpec, region: &'a [u8]) -> &'a [u8] {
    let period = PERIOD * spec.datatype.bytes();
    let repeats = region.len() > period && region.iter().zip(&region[period..]).all(|(a, b)| a == b);
    if repeats { &region[..period] } else { region }
}

/// At most `rows` rows for a model that came without data: the same on every machine, numbers between -4 and 4, in long rows the same again and again,
/// strings from the vocabulary and now and then one that is not in it. Never a missing value.
pub fn pseudo_rows(manifest: &Manifest, rows: usize) -> Batch {
    let longest = manifest.outputs.iter().map(TensorSpec::row_bytes).max().unwrap_or(0);
    let rows = rows.min(LONG / longest.max(1)).max(1);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: u64| {
        // Steele, Lea & Flood 2014, SplitMix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    };
    let inputs = manifest.inputs.iter().map(|spec| {
        let mut region = Vec::new();
        let elements = rows * spec.row_elements();
        for _ in 0..elements.min(PERIOD) {
            let eighths = next(65) as i64 - 32; // exact in every float type
            match spec.datatype {
                Datatype::Fp64 => region.extend((eighths as f64 / 8.0).to_le_bytes()),
                Datatype::Fp32 => region.extend((eighths as f32 / 8.0).to_le_bytes()),
                Datatype::Fp16 => region.extend(half::narrow(eighths as f32 / 8.0).to_le_bytes()),
                Datatype::Bytes => {
                    let strings = spec.strings.as_ref().map_or(0, Vec::len) as u64;
                    region.extend((next(strings + 1) as i32 - 1).to_le_bytes());
                }
                Datatype::Bool => region.push(next(2) as u8),
                // Small and not negative, so that the number is one of every integer type.
                other => region.extend(&next(5).to_le_bytes()[..other.bytes()]),
            }
        }
        region.iter().copied().cycle().take(elements * spec.datatype.bytes()).collect()
    });
    Batch { rows, inputs: inputs.collect() }
}
