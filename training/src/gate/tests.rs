//! The gate on examples: what it says of a better, an equal, a worse and a broken candidate.

use std::collections::BTreeMap;

use contract::Datatype;
use contract::manifest::{Cost, TensorSpec};

use super::simulation::World;
use super::*;

fn spec(name: &str, datatype: Datatype) -> TensorSpec {
    TensorSpec {
        name: name.to_owned(),
        datatype,
        shape: vec![-1, 1],
        offset: 0,
        strings: None,
        columns: None,
        date: None,
    }
}

fn module() -> Result<Module, String> {
    let manifest = Manifest {
        version: 1,
        compiler: "beira".to_owned(),
        onnx_sha256: String::new(),
        opset: BTreeMap::new(),
        rows_max: 1,
        inputs: vec![spec("alcohol", Datatype::Fp32), spec("sulphates", Datatype::Fp32)],
        outputs: vec![spec("probability", Datatype::Fp32)],
        cost: Cost::default(),
        relaxed: false,
    };
    Ok(Module { manifest, bytes: 400_000, latency_us: Some(30.0) })
}

fn contender(version: &str, scores: Scores) -> Contender {
    Contender { name: format!("wine/{version}"), scores, module: module() }
}

/// Two healthy models of two classes, all guards measured and held.
pub(super) fn comparison(labels: Vec<usize>, champion: Vec<f64>, candidate: Vec<f64>) -> Comparison {
    let names = vec!["bad".to_owned(), "good".to_owned()];
    let held_out = (0..labels.len() as u128).collect();
    Comparison {
        labels: Labels::Classes { names, rows: labels },
        champion: Some(contender("1", Scores::Positive(champion))),
        candidate: contender("2", Scores::Positive(candidate)),
        parity: vec![
            Parity { host: "wasmtime".to_owned(), max_difference: 1.2e-7 },
            Parity { host: "node".to_owned(), max_difference: 1.2e-7 },
        ],
        row_hashes: Some(RowHashes { seen: vec![u128::MAX], champion: vec![7], held_out }),
        slices: Vec::new(),
        policy: Policy::default(),
    }
}

/// A comparison of 600 rows; the candidate's quality beside the champion's 0.8.
fn quality(candidate: f64) -> Comparison {
    let (labels, [before, now]) = World::new(4).pair(600, candidate);
    comparison(labels, before, now)
}

fn check(comparison: &Comparison, verdict: Verdict, reason: &str) -> Report {
    let report = decide(comparison).unwrap();
    assert!(report.verdict == verdict && report.reason.contains(reason), "{}: {}", report.verdict, report.reason);
    report
}

/// A candidate that would be promoted, after `change`.
fn changed(change: impl FnOnce(&mut Comparison)) -> Comparison {
    let mut comparison = quality(1.1);
    change(&mut comparison);
    comparison
}

fn with_scores(change: impl FnOnce(&mut Vec<f64>)) -> Comparison {
    changed(|c| match &mut c.candidate.scores {
        Scores::Positive(scores) => change(scores),
        _ => unreachable!("two classes"),
    })
}

#[test]
fn better_equal_and_worse() {
    check(&quality(1.1), Verdict::Promote, "auc is better by +0.0");
    check(&quality(0.6), Verdict::Reject, "auc is worse (-0.");
    let mut equal = quality(1.1);
    equal.candidate.scores = equal.champion.as_ref().unwrap().scores.clone();
    check(&equal, Verdict::Hold, "no improvement: auc is the same in every bootstrap sample");
    // As good within a wide margin, and not better.
    let mut close = quality(0.8);
    close.policy.margin = Some(0.1);
    check(&close, Verdict::Hold, "no improvement of auc is shown: the 95 % interval of the gain, -0.0");
    close.policy.margin = Some(1e-4);
    check(&close, Verdict::Hold, "auc is not shown to be as good: ");
}

#[test]
fn every_broken_candidate_is_refused_with_its_reason() {
    use Verdict::Reject;
    let module = |change: fn(&mut Module)| changed(|c| change(c.candidate.module.as_mut().unwrap()));
    let corrupt = changed(|c| c.candidate.module = Err("golden row 3 does not come out".to_owned()));
    check(&corrupt, Reject, "the candidate's module is broken: golden row 3 does not come out");
    check(&with_scores(|s| s[7] = f64::NAN), Reject, "it answers NaN or infinity in 1 of 600 rows");
    check(&with_scores(|s| s.fill(f64::NAN)), Reject, "NaN or infinity in 600 of 600 rows");
    check(&with_scores(|s| s[7] = 1.5), Reject, "a probability outside of 0 to 1 in 1 of 600 rows");
    check(&with_scores(|s| s.truncate(10)), Reject, "it answers 10 of 600 rows");
    let numbers = changed(|c| c.candidate.scores = Scores::Numbers(vec![0.0; 600]));
    check(&numbers, Reject, "it does not answer what the labels ask for");
    let leaky = changed(|c| c.row_hashes.as_mut().unwrap().seen = (550..2000).collect());
    check(&leaky, Reject, "trained on 50 of the 600 held-out rows; 0 are allowed");
    check(
        &module(|m| m.manifest.inputs[1].name = "pH".to_owned()),
        Reject,
        "`sulphates` is missing, input `pH` is new",
    );
    let int = module(|m| m.manifest.outputs[0].datatype = Datatype::Int64);
    check(&int, Reject, "output `probability` is INT64 instead of FP32");
    check(&module(|m| m.bytes = 600_001), Reject, "600001 B (the champion's: 400000 B); at most 1.5 × the champion's");
    check(&module(|m| m.latency_us = Some(46.0)), Reject, "latency of the candidate: 46.00 µs");
    check(&changed(|c| c.parity[1].max_difference = 0.25), Reject, "on node differ from the reference by 2.5e-1");
    check(&changed(|c| c.parity[0].max_difference = f64::NAN), Reject, "on wasmtime differ from the reference without");
}

#[test]
fn what_is_not_measured_is_never_promoted() {
    use Verdict::Hold;
    check(&changed(|c| c.parity.clear()), Hold, "parity is not measured");
    check(&changed(|c| c.row_hashes = None), Hold, "leakage is not measured");
    check(&changed(|c| c.candidate.module.as_mut().unwrap().latency_us = None), Hold, "not measured for the candidate");
    let champion = |change: fn(&mut Contender)| changed(|c| change(c.champion.as_mut().unwrap()));
    check(
        &champion(|c| c.scores = Scores::Positive(vec![f64::NAN; 600])),
        Hold,
        "the champion cannot be compared with",
    );
    check(&champion(|c| c.module = Err("damaged".to_owned())), Hold, "its module is broken: damaged");
    // Switched off is another thing than not measured.
    let off = changed(|c| {
        (c.parity, c.row_hashes) = (Vec::new(), None);
        c.candidate.module.as_mut().unwrap().latency_us = None;
        let none = "guards: {parity: null, leaked_rows: null, latency_ratio: null}";
        c.policy = Policy::parse(none, "gate.yaml").unwrap();
    });
    check(&off, Verdict::Promote, "");
}

#[test]
fn a_first_deployment_must_beat_the_trivial_baseline() {
    let first = |candidate: f64| {
        let mut first = quality(candidate);
        first.champion = None;
        first
    };
    check(&first(0.8), Verdict::Promote, "auc is better than that of the trivial baseline");
    check(&first(0.02), Verdict::Hold, "no improvement of auc over the trivial baseline is shown");
    let mut upside_down = with_scores(|scores| scores.iter_mut().for_each(|p| *p = 1.0 - *p));
    upside_down.champion = None;
    check(&upside_down, Verdict::Reject, "auc is worse than that of the trivial baseline (-0.");
    let mut broken = first(0.8);
    broken.row_hashes.as_mut().unwrap().seen = vec![3];
    check(&broken, Verdict::Reject, "trained on 1 of the 600");
    let mut large = first(0.8);
    large.policy.guards.module_bytes_max = Some(10_000);
    check(&large, Verdict::Reject, "at most 10000 B is allowed");
    let floors = |floors: &str| {
        let mut first = first(0.8);
        first.policy = Policy::parse(&format!("floors: {floors}"), "gate.yaml").unwrap();
        first
    };
    check(&floors("[{metric: auc, value: 0.7}, {metric: brier, value: 0.25}]"), Verdict::Promote, "");
    check(&floors("[{metric: auc, value: 0.99}]"), Verdict::Reject, "auc of the candidate is 0.8");
    check(&floors("[{metric: brier, value: 0.01}]"), Verdict::Reject, "; at most 0.0100 is demanded");
}

#[test]
fn a_slice_on_which_it_is_worse_is_enough() {
    // Better on most rows, wrong on the first 100.
    let comparison = |rows_min| {
        let mut comparison = with_scores(|scores| scores[..100].iter_mut().for_each(|p| *p = 1.0 - *p));
        let Scores::Positive(now) = &mut comparison.candidate.scores else { unreachable!("two classes") };
        let Labels::Classes { rows, .. } = &comparison.labels else { unreachable!("two classes") };
        now[100..].iter_mut().zip(&rows[100..]).for_each(|(p, class)| *p = (*p + 9.0 * *class as f64) / 10.0);
        comparison.slices = vec![
            Slice { name: "alcohol < 9".to_owned(), rows: (0..100).collect() },
            Slice { name: "the rest".to_owned(), rows: (100..600).collect() },
            Slice { name: "few".to_owned(), rows: (0..20).collect() },
        ];
        comparison.policy.guards.metrics = Some(Vec::new());
        comparison.policy.slices.rows_min = rows_min;
        comparison
    };
    let report = check(&comparison(100), Verdict::Reject, "auc on the slice alcohol < 9 is worse (-0.");
    let states: Vec<MeasuredState> = report.measured.iter().map(|m| m.state).collect();
    use MeasuredState::*;
    assert_eq!(states, [Superior, Inferior, Superior, TooFewRows]);
    check(&comparison(500), Verdict::Promote, "");
}

#[test]
fn numbers_and_three_classes() {
    let mut world = World::new(8);
    let truth: Vec<f64> = (0..300).map(|_| 100.0 * world.normal()).collect();
    let mut with_error = |size: f64| Scores::Numbers(truth.iter().map(|t| t + size * world.normal()).collect());
    let (before, now) = (with_error(10.0), with_error(7.0));
    let mut numbers =
        changed(|c| c.row_hashes = Some(RowHashes { seen: vec![7], champion: Vec::new(), held_out: vec![0; 300] }));
    numbers.labels = Labels::Numbers(truth);
    numbers.champion.as_mut().unwrap().scores = before;
    numbers.candidate.scores = now;
    let report = check(&numbers, Verdict::Promote, "rmse is better by +");
    assert!(report.flips.is_none() && (0.1..0.3).contains(&report.measured[0].margin.unwrap()), "2 % of about 10");
    std::mem::swap(&mut numbers.candidate.scores, &mut numbers.champion.as_mut().unwrap().scores);
    check(&numbers, Verdict::Reject, "rmse is worse");
    numbers.champion = None;
    check(&numbers, Verdict::Promote, "rmse is better than that of the trivial baseline");

    let rows: Vec<usize> = (0..300).map(|row| row % 3).collect();
    let mut said = |sure: f64| {
        let row = |class: usize| {
            let weights = [0, 1, 2].map(|k| (f64::from(u8::from(k == class)) * sure + world.normal()).exp());
            weights.map(|weight| weight / weights.iter().sum::<f64>())
        };
        Scores::Classes(rows.iter().copied().flat_map(row).collect())
    };
    let (before, now) = (said(1.0), said(2.5));
    let mut classes = numbers.clone();
    classes.labels = Labels::Classes { names: ["a", "b", "c"].map(str::to_owned).to_vec(), rows };
    classes.champion = Some(contender("1", before));
    classes.candidate.scores = now;
    check(&classes, Verdict::Promote, "log_loss is better by +");
    classes.policy.metric = Some(Metric::Auc);
    check(&classes, Verdict::Promote, "auc is better by +");
    classes.policy.metric = Some(Metric::Accuracy);
    let report = check(&classes, Verdict::Promote, "accuracy is better by +");
    assert_eq!(report.measured[0].test.as_ref().unwrap().name, "McNemar");
}

#[test]
fn a_wrong_question_has_no_verdict() {
    let check = |change: fn(&mut Comparison), expected: &str| {
        assert_eq!(decide(&changed(change)).unwrap_err().to_string(), expected);
    };
    fn classes(comparison: &mut Comparison) -> &mut Vec<usize> {
        match &mut comparison.labels {
            Labels::Classes { rows, .. } => rows,
            Labels::Numbers(_) => unreachable!("two classes"),
        }
    }
    check(|c| classes(c)[5] = 2, "labels: row 5: no such class; there are 2");
    check(|c| classes(c).fill(1), "labels: all held-out rows are of one class; more rows help");
    check(|c| classes(c).truncate(1), "labels: 1 held-out rows cannot be judged");
    check(|c| c.policy.metric = Some(Metric::Rmse), "policy: metric: rmse is not a metric of classes");
    check(
        |c| c.slices = vec![Slice { name: "s".to_owned(), rows: vec![600] }],
        "slices `s`: row 600 does not exist; there are 600",
    );
    check(
        |c| c.slices = (0..99).map(|k| Slice { name: k.to_string(), rows: vec![k] }).collect(),
        "policy: bootstrap.replicates: 101 guard metrics and slices need 4040 or more",
    );
    check(|c| c.row_hashes.as_mut().unwrap().held_out.clear(), "row_hashes.held_out: 0 hashes for 600 labels");
}

#[test]
fn policies() {
    let check = |text: &str, expected: &str| {
        let error = Policy::parse(text, "gate.yaml").unwrap_err().to_string();
        assert!(error.starts_with("gate.yaml: ") && error.contains(expected), "{error}");
    };
    check("margins: 1", "unknown field `margins`");
    check("guards: {parity: -1}", "guards.parity: a number above 0 is needed");
    check("guards: {metrics: [{metric: f1}, {metric: f1}]}", "guards.metrics[1]: f1 stands twice");
    check("bootstrap: {replicates: 10}", "bootstrap.replicates: 100 to 100000 are possible");
    check("{confidence: 0.9999, bootstrap: {replicates: 100}}", "bootstrap.replicates: too few for this confidence");
    check("floors: [{metric: auc, value: .inf}]", "floors[0].value: a finite number is needed");
    check("margin: .nan", "margin: a number above 0 is needed");
    // The documentation at the top of policy.rs is the default.
    let documented: String = (include_str!("policy.rs").lines())
        .skip_while(|line| *line != "//! ```yaml")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//! ").to_owned() + "\n")
        .collect();
    assert_eq!(Policy::parse(&documented, "gate.yaml"), Ok(Policy::default()));
    assert_eq!(Policy::parse("# nothing\n", "gate.yaml"), Ok(Policy::default()));
}

/// The Markdown is compared with `report.md` beside this file; after a wanted change, run the test
/// with `BLESS=1` and read the difference.
#[test]
fn the_report_on_one_screen() {
    let mut comparison = quality(1.1);
    comparison.slices = vec![Slice { name: "alcohol | <9>".to_owned(), rows: (0..200).collect() }];
    let report = decide(&comparison).unwrap();
    let markdown = report.markdown();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/gate/report.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &markdown).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap();
    assert!(markdown == expected, "it is now:\n{markdown}");
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    assert_eq!(decide(&comparison).unwrap(), report, "the same question has the same answer");
}
