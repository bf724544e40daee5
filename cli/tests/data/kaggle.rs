//! The mixed table comes from a server that speaks Kaggle's API; a second run does not ask again.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::{Server, beira, stderr};

/// Serves one file to `ada` with the key `secret`; counts what it is asked.
fn kaggle(path: &'static str, bytes: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            let lines = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            let request: Vec<String> = lines.collect();
            let known = request.iter().any(|line| line.eq_ignore_ascii_case("authorization: Basic YWRhOnNlY3JldA=="));
            let (status, body): (_, &[u8]) = match request[0].split(' ').nth(1) {
                _ if !known => ("401 Unauthorized", b"{}"),
                Some(asked) if asked == path => ("200 OK", &bytes),
                _ => ("404 Not Found", b"{}"),
            };
            let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), body].concat()).ok();
        }
    });
    (address, asked)
}

#[test]
fn the_mixed_table_comes_from_kaggle_and_is_fetched_once() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    assert!(beira(folder.path(), &["init", "--example", "mixed", "work"], &[]).status.success());
    let pipeline = std::fs::read_to_string(work.join("pipeline.yaml")).unwrap();
    let pipeline =
        pipeline.replace("csv: mixed.csv", "url: kaggle://ada/churn/mixed.csv").replace("rounds: 200", "rounds: 20");
    std::fs::write(work.join("pipeline.yaml"), pipeline).unwrap();
    let csv = std::fs::read(work.join("mixed.csv")).unwrap();
    std::fs::remove_file(work.join("mixed.csv")).unwrap();
    let (address, asked) = kaggle("/api/v1/datasets/download/ada/churn/mixed.csv", csv);
    let server = Server::start(&folder.path().join("state"));
    let url = server.url();
    let train =
        |variables: &[(&str, &str)]| beira(&work, &["train", "pipeline.yaml", "--json", "--server", &url], variables);

    let none = train(&[("KAGGLE_API_BASE", &address)]);
    assert!(stderr(&none).contains("Kaggle: no credentials; set KAGGLE_USERNAME and KAGGLE_KEY"), "{}", stderr(&none));
    let wrong = [("KAGGLE_API_BASE", address.as_str()), ("KAGGLE_USERNAME", "ada"), ("KAGGLE_KEY", "not-it")];
    let refused = stderr(&train(&wrong));
    assert!(refused.contains("kaggle://ada/churn/mixed.csv: Kaggle does not accept the credentials"), "{refused}");
    assert!(!refused.contains("not-it"), "{refused}");
    assert!(!work.join("data/external/kaggle/ada/churn/mixed.csv").exists());

    std::fs::write(work.join("kaggle.json"), r#"{"username": "ada", "key": "secret"}"#).unwrap();
    let first = train(&[("KAGGLE_API_BASE", &address)]);
    assert!(first.status.success(), "{}", stderr(&first));
    let before = asked.load(Ordering::SeqCst);
    let stores = ["data/processed/churn.parquet", "data/feature_store/churn.parquet"];
    let bytes = stores.map(|file| std::fs::read(work.join(file)).unwrap());
    let second = train(&[("KAGGLE_API_BASE", &address)]);
    assert!(second.status.success(), "{}", stderr(&second));
    assert_eq!(asked.load(Ordering::SeqCst), before, "the file was fetched again");
    assert_eq!(stores.map(|file| std::fs::read(work.join(file)).unwrap()), bytes, "other bytes the second time");

    let [first, second] = [first, second].map(|output| serde_json::from_slice::<Value>(&output.stdout).unwrap());
    assert_eq!((first["alias"].as_str(), second["alias"].as_str()), (Some("champion"), Some("challenger")));
    assert_eq!(first["module_sha256"], second["module_sha256"]);
    let lineage = std::fs::read(work.join("data/feature_store/churn.json")).unwrap();
    let lineage: Value = serde_json::from_slice(&lineage).unwrap();
    assert_eq!(lineage["source"]["source"], "kaggle://ada/churn/mixed.csv");
    assert_eq!(lineage["run_id"], second["run_id"]);
    let sum = std::fs::read_to_string(work.join("data/external/kaggle/ada/churn/mixed.csv.sha256")).unwrap();
    assert!(sum.starts_with(lineage["source"]["sha256"].as_str().unwrap()));
    for plot in ["roc", "calibration", "importance", "confusion"] {
        let svg = std::fs::read_to_string(work.join(format!("reports/plots/{plot}.svg"))).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{plot}");
    }
}
