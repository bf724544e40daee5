//! Tables made here, fitted, exported, and evaluated by the reference on the file that was written.

use std::fmt::Write;

use contract::Datatype;
use host_native::Module;
use inference_wasm::Reference;

use crate::data::Target;
use crate::{Pipeline, Silent, Trained, fit, heldout, package};

/// Numbers with gaps, texts with gaps and rare values, and a target that depends on both.
fn table(target: impl Fn(f64, &str) -> String) -> String {
    let mut state = 7u64;
    let mut next = move |below: u64| {
        // Steele, Lea & Flood 2014, SplitMix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    };
    let mut csv = "size (m²),colour,label,noise,y\n".to_owned();
    for row in 0..600 {
        let size = next(10_000) as f64 / 100.0;
        let colour = ["red", "green", "blue", "dark, blue"][next(4) as usize];
        let y = target(size + next(20) as f64, colour);
        let shown = if next(10) == 0 { "NA".to_owned() } else { size.to_string() };
        let colour = if next(12) == 0 {
            ""
        } else if row == 599 {
            "unseen"
        } else {
            colour
        };
        let _ = writeln!(csv, "{shown},\"{colour}\",{},{},{y}", ["a", "b"][next(2) as usize], next(1000));
    }
    csv
}

fn train(csv: &str, tail: &str) -> Trained {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), csv).unwrap();
    let file = folder.path().join("pipeline.yaml");
    std::fs::write(&file, format!("name: t\nsource: {{csv: t.csv}}\ntarget: y\n{tail}\n")).unwrap();
    fit(&Pipeline::load(&file).unwrap(), &mut Silent).unwrap()
}

/// Both learners of a table: the file answers what the learner does, and is the same when made again.
fn check(csv: &str, outputs: &[(&str, Datatype)]) {
    for learners in ["learners: {linear: {}}", "learners: {boosting: {rounds: 30}}"] {
        let trained = train(csv, learners);
        assert_eq!(trained.onnx, train(csv, learners).onnx, "{learners}: other bytes the second time");
        let reference = Reference::load(&trained.onnx).unwrap();
        let signature = reference.signature();
        let found: Vec<_> = signature.outputs.iter().map(|spec| (spec.name.as_str(), spec.datatype)).collect();
        assert_eq!(found, outputs);
        let manifest = contract::Manifest {
            version: contract::manifest::VERSION,
            compiler: String::new(),
            onnx_sha256: String::new(),
            opset: Default::default(),
            rows_max: 1,
            inputs: signature.inputs.clone(),
            outputs: signature.outputs.clone(),
            cost: Default::default(),
            relaxed: false,
        };
        let rows = &trained.parts.test;
        let batch = host_native::records::encode(&manifest, &heldout::records(&trained.data, rows)).unwrap();
        let regions = reference.run(batch.rows, &batch.inputs).unwrap();
        let numbers = outputs.iter().position(|(_, datatype)| *datatype == Datatype::Fp32).unwrap();
        let got = crate::profile::floats(&regions[numbers]);
        let width = trained.answers.width();
        assert_eq!(got.len(), rows.len() * width);
        for (i, (got, wanted)) in got.iter().zip(&trained.answers.values).enumerate() {
            assert!(
                (got - wanted).abs() <= 1e-5 * (1.0 + wanted.abs()),
                "{learners} row {}: {got} {wanted}",
                i / width
            );
        }
        // The module answers it too, and so does the sealed one that has met its golden rows again.
        let package = package(&trained).unwrap();
        let profile = Module::load(&package.wasm).unwrap().seal().and_then(|seal| seal.profile.clone()).unwrap();
        assert_eq!(profile.rows, trained.parts.train.len() as u64);
        for feature in &profile.features {
            let counted: u64 = feature.counts.iter().sum::<u64>() + feature.missing;
            assert_eq!(counted, profile.rows, "{}", feature.name);
        }
        let score = profile.score.unwrap();
        assert_eq!(score.counts.iter().sum::<u64>() as usize, trained.parts.validation.len() + rows.len());
        // What is learnt is worth something: labels come out as the file spells them.
        if let Target::Classes { .. } = trained.data.target {
            let answers = host_native::records::decode(&manifest, batch.rows, &regions);
            let labels = heldout::labels(&trained.data, rows);
            let right = answers.iter().zip(&labels).filter(|(answer, label)| answer[outputs[0].0] == **label).count();
            assert!(right * 10 > rows.len() * 7, "{learners}: {right} of {} labels are right", rows.len());
        }
    }
}

#[test]
fn binary_with_texts() {
    let csv = table(|size, colour| if size > 60.0 || colour == "red" { "yes" } else { "no" }.to_owned());
    // A column is called `label`, so the output cannot be.
    check(&csv, &[("predicted_label", Datatype::Bytes), ("probabilities", Datatype::Fp32)]);
}

#[test]
fn multiclass_with_integers() {
    let csv = table(|size, colour| ((size / 45.0) as u32 * 10 + u32::from(colour == "red") * 5).to_string());
    check(&csv, &[("predicted_label", Datatype::Int64), ("probabilities", Datatype::Fp32)]);
}

#[test]
fn regression() {
    let csv = table(|size, colour| format!("{:.3}", 1000.0 + 3.7 * size + if colour == "green" { 55.5 } else { 0.0 }));
    check(&csv, &[("y", Datatype::Fp32)]);
}

/// Rows as a client would send them, made from the cells of the file alone.
fn records(raw: &crate::read::Raw, pipeline: &Pipeline) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let texts = ["joined", "last_login", "plan", "country", "satisfaction"];
    let skipped = [pipeline.target.as_str(), "customer"];
    let cell = |name: &str, cell: &str| match cell {
        "" => serde_json::Value::Null,
        text if texts.contains(&name) => text.into(),
        number => number.parse::<f64>().unwrap().into(),
    };
    let names = || raw.header.iter().map(String::as_str);
    let record = |row: &Vec<String>| {
        let cells = names().zip(row).filter(|(name, _)| !skipped.contains(name));
        cells.map(|(name, text)| (name.to_owned(), cell(name, text))).collect()
    };
    raw.rows.iter().map(record).collect()
}

#[test]
fn every_row_of_the_mixed_table_is_served_as_it_was_trained() {
    let yaml = include_str!("../sample/mixed.yaml").replace("csv: mixed.csv", "sample: mixed");
    for learners in ["{linear: {}}", "{boosting: {rounds: 60}}"] {
        let yaml = format!("{}learners: {learners}\n", &yaml[..yaml.find("learners:").unwrap()]);
        let pipeline = Pipeline::parse(&yaml, "mixed.yaml").unwrap();
        let trained = fit(&pipeline, &mut Silent).unwrap();
        let package = package(&trained).unwrap();
        assert_eq!(package.differing, 0, "{learners}");
        let module = Module::load(&package.wasm).unwrap();
        let raw = crate::sample::table("mixed").unwrap();
        let batch = host_native::records::encode(module.manifest(), &records(&raw, &pipeline)).unwrap();
        let outputs = module.run(&batch).unwrap();
        let output = module.manifest().outputs.iter().position(|spec| spec.name == "probabilities").unwrap();
        let served = crate::profile::floats(&outputs[output]);
        assert_eq!((batch.rows, served.len()), (6060, trained.all.values.len()));
        let differing = served.iter().zip(&trained.all.values).filter(|(a, b)| (*a - *b).abs() > 1e-6).count();
        assert_eq!(differing, 0, "{learners}: of {} answers", served.len());
        let auc = trained.metrics.iter().find(|(key, _)| key == "test_auc").unwrap().1;
        assert!(auc > 0.75, "{learners}: {auc}");
    }
}

/// A model of `features` over dates and a number, asked for dates that training never saw.
#[test]
fn dates_of_all_centuries_are_taken_apart_in_the_module() {
    let mut csv = "d,at,y\n".to_owned();
    for day in 0..400i64 {
        let ms = day * 86_400_000 * 37 + day * 3_700_000;
        let time = contract::date::iso_time(ms)[..19].replace('T', " ");
        let _ = writeln!(csv, "{},{time},{}", contract::date::iso_date(day * 37), day % 3);
    }
    let parts = "{date: [days, year, quarter, month, day, weekday]}";
    let times = "{date: [days, year, quarter, month, day, weekday, hour, minute]}";
    let trained =
        train(&csv, &format!("task: regression\nfeatures: {{d: {parts}, at: {times}}}\nlearners: {{linear: {{}}}}"));
    let module = Module::load(&package(&trained).unwrap().wasm).unwrap();
    // The answer is linear in the parts, so another part is another answer.
    let (mut records, mut wanted) = (Vec::new(), Vec::new());
    let mut table = "d,at,y\n".to_owned();
    for i in 0..2000i64 {
        let day = -719_162 + i * 1826;
        let ms = (-719_162 + i * 1825) * 86_400_000 + i * 43_199_000 % 86_400_000;
        let time = contract::date::iso_time(ms)[..19].replace('T', " ");
        let date = contract::date::iso_date(day);
        let _ = writeln!(table, "{date},{time},{}", i % 3);
        records.push(serde_json::json!({"d": date, "at": time}).as_object().unwrap().clone());
    }
    records.push(serde_json::json!({"d": null, "at": null}).as_object().unwrap().clone());
    table += ",,0\n";
    let pipeline = "{name: t, source: {csv: t}, target: y, task: regression, columns: {d: {date: '%Y-%m-%d'}, at: {date: '%Y-%m-%d %H:%M:%S'}}}";
    let raw = crate::read::parse(table.as_bytes(), "t").unwrap();
    let data = crate::data::Data::new(&raw, &Pipeline::parse(pipeline, "p").unwrap()).unwrap();
    let rows: Vec<usize> = (0..data.rows).collect();
    wanted.extend(trained.fitted.answer(&data, &trained.encoder, &rows).unwrap().values);
    let batch = host_native::records::encode(module.manifest(), &records).unwrap();
    let served = crate::profile::floats(&module.run(&batch).unwrap()[0]);
    for (i, (served, wanted)) in served.iter().zip(&wanted).enumerate() {
        assert!((served - wanted).abs() <= 1e-5 * (1.0 + wanted.abs()), "row {i}: {served} {wanted}");
    }
    assert_eq!(served.len(), wanted.len());
}
