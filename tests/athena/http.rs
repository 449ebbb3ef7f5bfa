//! Requests to servers of this machine, one connection each.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use pipeline_tests::PATIENCE;

/// Sends a request and gives the body of the answer, which has to be a success.
///
/// HTTP/1.0, so that the answer comes in one piece and ends with the connection.
pub(crate) fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut head = format!(
        "{method} /{path} HTTP/1.0\r\nHost: {authority}\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let mut stream = TcpStream::connect(authority).unwrap_or_else(|error| panic!("{url}: {error}"));
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    assert!(status.starts_with('2'), "{method} {url}: {head}\n{body}");
    body.to_owned()
}
