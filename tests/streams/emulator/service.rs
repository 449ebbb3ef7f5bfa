//! A service of AWS as an HTTP client sees it. Calls carry no true signature: emulators check none.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use pipeline_tests::PATIENCE;
use pipeline_tests::stack::REGION;
use serde_json::{Value, json};

/// A service at an address.
#[derive(Clone)]
pub struct Service {
    address: String,
    signs_for: &'static str,
}

/// An answer.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A call that was refused.
#[derive(Debug)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// What the service said.
    pub body: String,
}

impl Service {
    /// The service at `host:port`, under the name for which requests to it are signed.
    pub fn new(address: String, signs_for: &'static str) -> Service {
        Service { address, signs_for }
    }

    /// The same address as another service, for an emulator that is several.
    pub fn named(&self, signs_for: &'static str) -> Service {
        Service::new(self.address.clone(), signs_for)
    }

    /// The address as the SDK wants it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A call in AWS JSON 1.1.
    pub fn call(&self, target: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target),
            ("x-amz-date", "20261101T000000Z"),
        ];
        let answer = self.request("POST", "/", &headers, body);
        match answer.status {
            200 => Ok(answer.body),
            status => Err(Refusal {
                status,
                body: String::from_utf8_lossy(&answer.body).into_owned(),
            }),
        }
    }

    /// The same with JSON values; a refusal is a failure of the test.
    pub fn ask(&self, target: &str, body: &Value) -> Value {
        match self.call(target, body.to_string().as_bytes()) {
            Ok(answer) if answer.is_empty() => json!(null),
            Ok(answer) => serde_json::from_slice(&answer).unwrap(),
            Err(refusal) => panic!("{target}: {refusal}"),
        }
    }

    /// One request on a connection of its own.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=test/20261101/{REGION}/{}/aws4_request, \
             SignedHeaders=host, Signature=none\r\n",
            self.address,
            body.len(),
            self.signs_for,
        );
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head += "\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        read_answer(stream)
    }
}

fn read_answer(stream: TcpStream) -> Answer {
    let mut input = BufReader::new(stream);
    let mut line = String::new();
    input.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let mut length = None;
    loop {
        line.clear();
        input.read_line(&mut line).unwrap();
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok(),
            "transfer-encoding" => panic!("an answer in chunks"),
            _ => {}
        }
    }
    let mut body = vec![0; length.unwrap_or_default()];
    input.read_exact(&mut body).unwrap();
    Answer {
        status: status.expect("a status line"),
        body,
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.body)
    }
}
