//! Tables that a model must not be made of: the message names file, line and column; the run is marked as failed.

use crate::support::{Server, beira, stderr};

#[test]
fn wrong_tables() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    assert!(beira(folder.path(), &["init", "--example", "mixed", "work"], &[]).status.success());
    let server = Server::start(&folder.path().join("state"));
    let csv = std::fs::read_to_string(work.join("mixed.csv")).unwrap();
    let pipeline = std::fs::read_to_string(work.join("pipeline.yaml")).unwrap();
    let check = |name: &str, csv: String, pipeline: String, expected: &str| {
        std::fs::write(work.join("mixed.csv"), csv).unwrap();
        std::fs::write(work.join("wrong.yaml"), pipeline.replace("name: churn", &format!("name: {name}"))).unwrap();
        let output = beira(&work, &["train", "wrong.yaml", "--server", &server.url()], &[]);
        let said = stderr(&output);
        assert!(!output.status.success() && said.contains(expected), "{said}");
        let run = server.run(name);
        assert_eq!(run["info"]["status"], "FAILED");
        let tags = run["data"]["tags"].as_array().unwrap();
        let reason = tags.iter().find(|tag| tag["key"] == "beira.error").unwrap()["value"].as_str().unwrap();
        assert!(reason.contains(expected), "{reason}");
        let left: Vec<_> = ["processed", "feature_store"].map(|part| work.join("data").join(part)).into();
        assert!(left.iter().all(|folder| !folder.exists()), "something half-written stays");
    };
    let gone = "column `income`: the column is not there; was it renamed? not in the schema: earnings";
    check("renamed", csv.replacen("income", "earnings", 1), pipeline.clone(), gone);
    let report = std::fs::read_to_string(work.join("reports/data.md")).unwrap();
    assert!(report.contains("2 of ") && report.contains(gone), "{report}");

    let fifth = csv.lines().nth(4).unwrap().to_owned();
    let unseen = "mixed.csv, line 5, column `plan`: none of the allowed values: 1 of 6060 values";
    let plan = ["free", "basic", "pro", "team"].into_iter().find(|plan| fifth.contains(&format!(",{plan},"))).unwrap();
    let platinum = fifth.replace(&format!(",{plan},"), ",platinum,");
    check("category", csv.replacen(&fifth, &platinum, 1), pipeline.clone(), unseen);

    let date = fifth.split(',').nth(1).unwrap();
    let swapped: String = date.split('-').rev().collect::<Vec<_>>().join(".");
    let text = "mixed.csv, line 5, column `joined`: not a date: 1 of 6060 values; the format is %Y-%m-%d";
    check("format", csv.replacen(&fifth, &fifth.replacen(date, &swapped, 1), 1), pipeline.clone(), text);

    let one = "the target is the same in every row: there is nothing to learn";
    check("one-class", csv.replace(",yes\n", ",no\n"), pipeline.clone(), one);
}
