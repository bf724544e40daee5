//! A server that speaks Kaggle's download API, in the test: redirects, ranges, refusals, transfers that break off.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::external::{get, is_whole, table_of};
use super::kaggle::{Credentials, request};
use super::unzip::{self, Limits};
use crate::Error;

/// What was asked: path and headers.
type Asked = (String, HashMap<String, String>);

struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers with what `answer` makes of the number of the request, its path and headers: raw HTTP.
    fn start(answer: impl Fn(usize, &Asked) -> Vec<u8> + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let request = read_request(&stream);
                log.lock().unwrap().push(request.clone());
                (&stream).write_all(&answer(number, &request)).ok();
            }
        });
        Server { address, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Downloads `file` of the data set ada/birds.
    fn get(&self, file: Option<&str>, to: &Path) -> Result<(), Error> {
        let download =
            request("kaggle://ada/birds", &self.address, &Credentials::example(), [Some("ada"), Some("birds"), file]);
        get(&download?, to, file)
    }
}

fn read_request(stream: &TcpStream) -> Asked {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
    let headers = lines.take_while(|line| !line.is_empty());
    let headers = headers.filter_map(|line| line.split_once(": ").map(|(k, v)| (k.to_lowercase(), v.to_owned())));
    (path, headers.collect())
}

fn http(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

const CSV: &[u8] = b"a,y\n1,0\n2,1\n";

/// An archive of deflated files.
fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(bytes).unwrap();
        let packed = packer.finish().unwrap();
        let sizes = [crc.sum(), packed.len() as u32, bytes.len() as u32].map(u32::to_le_bytes).concat();
        let common =
            [&[20, 0, 0, 0, 8, 0, 0, 0, 0, 0], &sizes[..], &(name.len() as u16).to_le_bytes(), &[0, 0]].concat();
        directory.extend([&b"PK\x01\x02\x14\x00"[..], &common, &[0; 10], &(zip.len() as u32).to_le_bytes()].concat());
        directory.extend(name.bytes());
        zip.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), &packed].concat());
    }
    let (count, size, start) = (files.len() as u16, directory.len() as u32, zip.len() as u32);
    zip.extend(directory);
    zip.extend([&b"PK\x05\x06\0\0\0\0"[..], &count.to_le_bytes(), &count.to_le_bytes()].concat());
    zip.extend([&size.to_le_bytes()[..], &start.to_le_bytes(), &[0, 0]].concat());
    zip
}

#[test]
fn follows_to_the_storage_without_the_credentials() {
    let storage = Server::start(|_, _| http("200 OK", "ETag: \"1\"\r\n", CSV));
    let there = storage.address.clone();
    let api = Server::start(move |_, _| http("302 Found", &format!("Location: {there}/signed?key=secret\r\n"), b""));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("birds/my birds.csv");
    api.get(Some("my birds.csv"), &file).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), CSV);
    let (path, headers) = &api.asked()[0];
    assert_eq!(path, "/api/v1/datasets/download/ada/birds/my%20birds.csv");
    assert_eq!(headers["authorization"], "Basic YWRhOnNlY3JldA==");
    let (path, headers) = &storage.asked()[0];
    assert_eq!((path.as_str(), headers.get("authorization")), ("/signed?key=secret", None));
    // The checksum is that of `sha256sum`; a changed file is not whole.
    let sum = std::fs::read_to_string(folder.path().join("birds/my birds.csv.sha256")).unwrap();
    assert_eq!(sum, format!("{}  my birds.csv\n", super::digest(&file).unwrap()));
    assert!(is_whole(&file));
    std::fs::write(&file, b"a,y\n").unwrap();
    assert!(!is_whole(&file));
}

#[test]
fn goes_on_where_the_transfer_broke_off() {
    let whole: Vec<u8> = (0..200_000u32).flat_map(|i| format!("{i},{}\n", i % 2).into_bytes()).collect();
    let served = whole.clone();
    let server = Server::start(move |number, (_, headers)| {
        let from: usize =
            headers.get("range").map_or(0, |range| range["bytes=".len()..range.len() - 1].parse().unwrap());
        let rest = &served[from..];
        let range = format!("Content-Range: bytes {from}-{}/{}\r\n", served.len() - 1, served.len());
        let answer = match from {
            0 => http("200 OK", "ETag: \"v1\"\r\n", rest),
            _ => http("206 Partial Content", &format!("ETag: \"v1\"\r\n{range}"), rest),
        };
        // The first two answers end in their middle.
        if number < 2 { answer[..answer.len() / 2].to_vec() } else { answer }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("birds.csv");
    server.get(Some("birds.csv"), &file).unwrap();
    assert!(std::fs::read(&file).unwrap() == whole, "other bytes");
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[1].1["if-range"], "\"v1\"");
    let begin = |n: usize| asked[n].1["range"]["bytes=".len()..].trim_end_matches('-').parse::<usize>().unwrap();
    assert!(begin(2) > begin(1), "the third goes on behind the second");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}"); // the file and its checksum
}

#[test]
fn begins_again_when_the_file_has_changed() {
    let server = Server::start(|number, _| {
        let answer = http("200 OK", &format!("ETag: \"v{number}\"\r\n"), if number == 0 { b"old rows\n" } else { CSV });
        if number == 0 { answer[..answer.len() - 4].to_vec() } else { answer }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("birds.csv");
    server.get(Some("birds.csv"), &file).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), CSV);
}

#[test]
fn refusals_say_what_helps() {
    let check = |status: &'static str, expected: &str| {
        let server = Server::start(move |_, _| http(status, "", b"{\"message\": \"no\"}"));
        let folder = tempfile::tempdir().unwrap();
        let error = server.get(None, &folder.path().join("birds.zip")).unwrap_err().to_string();
        assert_eq!(error, format!("kaggle://ada/birds: {expected}"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "something half-written stays");
    };
    let token = "Kaggle does not accept the credentials; make a new token on your account's settings page (401)";
    check("401 Unauthorized", token);
    let rules = "Kaggle does not give this account the data set; open its page once and accept its rules (403)";
    check("403 Forbidden", rules);
    check("404 Not Found", "Kaggle has no such data set or file; compare with the address of its page (404)");
    let error = request("k", "http://example.org", &Credentials::example(), [None; 3]).err().unwrap().to_string();
    assert_eq!(error, "k: KAGGLE_API_BASE: credentials are sent over https only (or to this machine)");
    assert!(request("k", "http://localhost.example.org", &Credentials::example(), [None; 3]).is_err());
}

#[test]
fn zips_are_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    // One file, zipped on the way.
    let server = Server::start(|_, _| http("200 OK", "", &zipped(&[("birds.csv", CSV)])));
    let file = folder.path().join("birds.csv");
    server.get(Some("birds.csv"), &file).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), CSV);
    // A whole data set.
    let files: [(&str, &[u8]); 3] = [("readme.md", b"hi"), ("data/birds.csv", CSV), ("data/more.csv", CSV)];
    let server = Server::start(move |_, _| http("200 OK", "", &zipped(&files)));
    let archive = folder.path().join("birds.zip");
    server.get(None, &archive).unwrap();
    assert_eq!(std::fs::read(table_of(&archive, Some("data/more.csv")).unwrap()).unwrap(), CSV);
    let error = table_of(&archive, None).unwrap_err().to_string();
    let list = "several tables; say which with `source.file`: data/birds.csv, data/more.csv, readme.md";
    assert_eq!(error, format!("{}: {list}", archive.display()));
}

#[test]
fn hostile_zips_are_refused() {
    let check = |files: &[(&str, &[u8])], limits: Limits, expected: &str| {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("birds.zip");
        std::fs::write(&archive, zipped(files)).unwrap();
        let error = unzip::all(&archive, &folder.path().join("birds"), limits).unwrap_err().to_string();
        assert_eq!(error, format!("{}: the archive cannot be unpacked: {expected}", archive.display()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "something half-written stays");
    };
    let zeros = vec![0; 100_000];
    check(&[("../../x.csv", CSV)], Limits::default(), "a path in it leaves the archive");
    let bytes = "its files are larger than 5000 bytes altogether";
    check(&[("x.csv", CSV), ("bomb.csv", &zeros)], Limits { files: 9, bytes: 5000 }, bytes);
    check(&[("x.csv", CSV), ("y.csv", CSV)], Limits { files: 1, bytes: 5000 }, "more than 1 files");
    check(&[("C:\\x.csv", CSV)], Limits::default(), "a path in it leaves the archive");
}

#[test]
fn what_is_written_as_parquet_is_read_as_the_same_cells() {
    let csv = "size,plan,on,at,y\n1.5,a,2024-02-29,2024-02-29T12:34:56.789Z,1\n-0.1,,,,0\n,\"b, c\",1969-12-31,1969-12-31T00:00:00.000Z,1\n";
    let raw = crate::read::parse(csv.as_bytes(), "t").unwrap();
    let pipeline = crate::Pipeline::parse("{name: t, source: {csv: t}, target: y}", "p").unwrap();
    let data = crate::data::Data::new(&raw, &pipeline).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.parquet");
    std::fs::write(&file, crate::store::processed(&data, "y").unwrap()).unwrap();
    assert_eq!(crate::store::processed(&data, "y").unwrap(), std::fs::read(&file).unwrap());
    let again = super::parquet::read(&file).unwrap();
    assert_eq!((again.header, again.rows), (raw.header, raw.rows));
    let error = super::parquet::read(&folder.path().join("no.parquet")).unwrap_err().to_string();
    assert!(error.contains("`source.parquet` is relative to the pipeline's folder"), "{error}");
}
