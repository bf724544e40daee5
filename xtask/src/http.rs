//! The few HTTP words that a chore needs to talk to the server it started, on loopback.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};

/// GET; the body of a 200.
pub fn get(port: u16, path: &str) -> anyhow::Result<String> {
    request(port, &format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n"))
}

/// POST of JSON; the body of a 200.
pub fn post(port: u16, path: &str, json: &str) -> anyhow::Result<String> {
    let head = format!("POST {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n");
    request(port, &format!("{head}Content-Length: {}\r\n\r\n{json}", json.len()))
}

fn request(port: u16, request: &str) -> anyhow::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").context("the server's answer is not HTTP")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        bail!("{} answered {status}", request.lines().next().unwrap_or_default());
    }
    Ok(body.to_owned())
}
