//! The few HTTP words that a chore needs to talk to the server it started, on loopback.

use std::io::{self, BufRead, BufReader, Read, Write};
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

/// A connection for one request after another.
pub struct Connection {
    stream: BufReader<TcpStream>,
    port: u16,
}

impl Connection {
    /// Connects.
    pub fn open(port: u16) -> anyhow::Result<Connection> {
        Ok(Connection { stream: BufReader::new(connect(port)?), port })
    }

    /// POST of JSON; the status of the answer.
    pub fn post(&mut self, path: &str, json: &str) -> anyhow::Result<u16> {
        let head = format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json", self.port);
        let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{json}", json.len());
        self.stream.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            match line.trim_end().split_once(' ') {
                Some(("content-length:", bytes)) => length = bytes.parse()?,
                Some(("HTTP/1.1", rest)) => status = rest.split(' ').next().and_then(|code| code.parse().ok()),
                None => break,
                Some(_) => {}
            }
        }
        io::copy(&mut self.stream.by_ref().take(length), &mut io::sink())?;
        status.context("the server's answer is not HTTP")
    }
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(stream)
}

fn request(port: u16, request: &str) -> anyhow::Result<String> {
    let mut stream = connect(port)?;
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
