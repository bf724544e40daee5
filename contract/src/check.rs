//! Does a manifest make sense? Every host asks this before it touches a module's memory.
//!
//! A manifest is a stranger's JSON: sizes may overflow, regions may lie outside of memory, names
//! may stand twice. After [`manifest`] a host may compute with it freely.

use std::collections::BinaryHeap;

use crate::date::Unit;
use crate::manifest::{Datatype, Golden, Manifest, Seal, TensorSpec, VERSION};
use crate::profile::{Bins, HeldOut, Profile, Reference};

/// Checks `manifest` against a memory of `memory_bytes`. The error is a sentence that names the field.
pub fn manifest(manifest: &Manifest, memory_bytes: u64) -> Result<(), String> {
    regions(manifest, memory_bytes)?;
    for spec in &manifest.inputs {
        date(spec).map_err(|what| format!("inputs `{}`: {what}", spec.name))?;
    }
    Ok(())
}

/// [`manifest`] but for the dates: all there is to check where JavaScript has read those already.
pub fn regions(manifest: &Manifest, memory_bytes: u64) -> Result<(), String> {
    if manifest.version != VERSION {
        let found = manifest.version;
        return Err(format!("manifest version {found}, but this host reads version {VERSION}; compile the model anew"));
    }
    if manifest.rows_max == 0 {
        return Err("rows_max is 0".to_owned());
    }
    if manifest.outputs.is_empty() {
        return Err("outputs: the model answers nothing".to_owned());
    }
    for (side, tensors) in [("inputs", &manifest.inputs), ("outputs", &manifest.outputs)] {
        let mut names = Vec::new();
        for spec in tensors {
            let at = |what: &str| format!("{side} `{}`: {what}", spec.name);
            tensor(spec, manifest.rows_max, memory_bytes).map_err(|what| at(&what))?;
            // Features are named by their elements, outputs by their own name.
            match side {
                "inputs" => names.extend(spec.element_names()),
                _ => names.push(spec.name.clone()),
            }
        }
        // A heap puts them in order in a tenth of the code of a sort: the web host ships this.
        let mut names = BinaryHeap::from(names);
        while let Some(name) = names.pop() {
            if names.peek() == Some(&name) {
                return Err(format!("{side}: the name `{name}` stands twice"));
            }
        }
    }
    Ok(())
}

/// Checks `seal` against a manifest that [`manifest`] has accepted.
pub fn seal(manifest: &Manifest, seal: &Seal) -> Result<(), String> {
    golden(manifest, &seal.golden)?;
    seal.profile.as_ref().map_or(Ok(()), |found| profile(manifest, found))
}

fn tensor(spec: &TensorSpec, rows_max: u32, memory_bytes: u64) -> Result<(), String> {
    let row_axis = usize::from(spec.shape.first() == Some(&-1));
    if row_axis == 0 && rows_max != 1 {
        return Err("shape has no rows axis although rows_max is not 1".to_owned());
    }
    let mut elements = 1u64;
    for axis in &spec.shape[row_axis..] {
        let axis = u64::try_from(*axis).map_err(|_| "shape holds an axis below 0")?;
        elements = elements.checked_mul(axis).filter(|n| *n <= u64::from(u32::MAX)).ok_or("shape is too large")?;
    }
    let width = spec.datatype.bytes() as u64;
    if !u64::from(spec.offset).is_multiple_of(width) {
        return Err(format!("offset is not a multiple of {width}"));
    }
    let end = elements.checked_mul(width * u64::from(rows_max)).and_then(|n| n.checked_add(u64::from(spec.offset)));
    if end.is_none_or(|end| end > memory_bytes) {
        return Err(format!("region ends outside of the module's memory of {memory_bytes} bytes"));
    }
    if spec.columns.as_ref().is_some_and(|columns| columns.len() as u64 != elements) {
        return Err(format!("columns do not number {elements}"));
    }
    if (spec.datatype == Datatype::Bytes) != spec.strings.is_some() {
        return Err("strings are there for BYTES, and only there".to_owned());
    }
    Ok(())
}

fn date(spec: &TensorSpec) -> Result<(), String> {
    let Some(date) = &spec.date else { return Ok(()) };
    date.check()?;
    if !date_fits(spec.datatype, date.unit) {
        return Err("dates are FP32 or INT32 days, FP64 or INT64 days or milliseconds".to_owned());
    }
    Ok(())
}

/// Whether a type holds every date exactly.
pub fn date_fits(datatype: Datatype, unit: Unit) -> bool {
    match datatype {
        Datatype::Fp64 | Datatype::Int64 => true,
        Datatype::Fp32 | Datatype::Int32 => unit == Unit::Days,
        _ => false,
    }
}

fn golden(manifest: &Manifest, golden: &Golden) -> Result<(), String> {
    if golden.rows == 0 {
        return Err("golden: no rows".to_owned());
    }
    for (side, tensors, regions) in
        [("inputs", &manifest.inputs, &golden.inputs), ("outputs", &manifest.outputs, &golden.outputs)]
    {
        let fits = tensors.len() == regions.len()
            && tensors.iter().zip(regions).all(|(spec, hex)| {
                let (digits, whole) = (hex.len() as u64, 2 * u64::from(golden.rows) * spec.row_bytes() as u64);
                let repeats = side == "inputs" && digits > 0 && digits < whole && digits.is_multiple_of(2);
                (digits == whole || repeats) && hex.bytes().all(|digit| digit.is_ascii_hexdigit())
            });
        if !fits {
            return Err(format!("golden.{side}: not the size of {} rows in hex", golden.rows));
        }
    }
    Ok(())
}

fn profile(manifest: &Manifest, profile: &Profile) -> Result<(), String> {
    let specs = manifest.inputs.iter().flat_map(|spec| spec.element_names().into_iter().map(move |name| (name, spec)));
    let mut features = profile.features.iter();
    for (name, spec) in specs {
        let feature = features.next().filter(|feature| feature.name == name);
        let feature = feature.ok_or_else(|| format!("profile.features: `{name}` is not where the manifest has it"))?;
        reference(feature, spec).map_err(|what| format!("profile.features `{name}`: {what}"))?;
    }
    if features.next().is_some() {
        return Err("profile.features: more than the manifest has".to_owned());
    }
    if let Some(score) = &profile.score {
        let spec = manifest.outputs.iter().find(|spec| spec.name == score.output);
        let spec = spec.ok_or("profile.score.output: no such output")?;
        if score.element.unwrap_or(0) >= spec.row_elements() {
            return Err("profile.score.element: outside of the output's row".to_owned());
        }
        bins(&score.bins, &score.counts).map_err(|what| format!("profile.score: {what}"))?;
        if let Some(HeldOut::Hits(hits)) = &score.held_out
            && (hits.len() != score.counts.len() || hits.iter().zip(&score.counts).any(|(hits, rows)| hits > rows))
        {
            return Err("profile.score.held_out: hits are not a part of each bin's rows".to_owned());
        }
    }
    Ok(())
}

fn reference(feature: &Reference, spec: &TensorSpec) -> Result<(), String> {
    bins(&feature.bins, &feature.counts)?;
    match (&spec.strings, &feature.bins) {
        (Some(strings), Bins::Categories(categories)) if strings == categories => Ok(()),
        (Some(_), _) => Err("bins are not the input's strings".to_owned()),
        (None, _) => Ok(()),
    }
}

fn bins(bins: &Bins, counts: &[u64]) -> Result<(), String> {
    if bins.len() != counts.len() {
        return Err(format!("{} counts for {} bins", counts.len(), bins.len()));
    }
    match bins {
        Bins::Edges(edges) if edges.iter().any(|e| !e.is_finite()) || edges.windows(2).any(|w| w[0] >= w[1]) => {
            Err("edges are not finite and ascending".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str) -> TensorSpec {
        TensorSpec {
            name: name.to_owned(),
            datatype: Datatype::Fp32,
            shape: vec![-1, 2],
            offset: 16,
            strings: None,
            columns: None,
            date: None,
        }
    }

    fn check(change: impl Fn(&mut Manifest), expected: Result<(), &str>) {
        let mut example = Manifest {
            version: VERSION,
            compiler: String::new(),
            onnx_sha256: String::new(),
            opset: Default::default(),
            rows_max: 4,
            inputs: vec![spec("x")],
            outputs: vec![spec("y")],
            cost: Default::default(),
            relaxed: false,
        };
        change(&mut example);
        assert_eq!(manifest(&example, 16 + 4 * 8), expected.map_err(str::to_owned));
    }

    #[test]
    fn what_a_stranger_may_write() {
        check(|_| (), Ok(()));
        check(|m| m.version = 2, Err("manifest version 2, but this host reads version 1; compile the model anew"));
        check(|m| m.rows_max = 5, Err("inputs `x`: region ends outside of the module's memory of 48 bytes"));
        check(|m| m.outputs[0].offset = 17, Err("outputs `y`: offset is not a multiple of 4"));
        check(|m| m.inputs[0].shape = vec![-1, i64::MAX, i64::MAX], Err("inputs `x`: shape is too large"));
        check(|m| m.inputs[0].shape = vec![-1, -1], Err("inputs `x`: shape holds an axis below 0"));
        check(|m| m.inputs[0].shape = vec![2], Err("inputs `x`: shape has no rows axis although rows_max is not 1"));
        check(|m| m.inputs[0].columns = Some(vec![]), Err("inputs `x`: columns do not number 2"));
        check(
            |m| m.inputs[0].datatype = Datatype::Bytes,
            Err("inputs `x`: strings are there for BYTES, and only there"),
        );
        let date = |m: &mut Manifest, format| m.inputs[0].date = Some(crate::Date::new(format).unwrap());
        check(|m| date(m, "%Y-%m-%d"), Ok(()));
        let types = "inputs `x`: dates are FP32 or INT32 days, FP64 or INT64 days or milliseconds";
        check(|m| date(m, "%Y-%m-%d %H"), Err(types));
        check(|m| m.inputs.push(spec("x")), Err("inputs: the name `x[1]` stands twice"));
    }
}
