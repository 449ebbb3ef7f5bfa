//! A small HTTP/1.1 server that can also fail.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request.
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

/// What the server does with a request.
pub enum Reply {
    /// Answers.
    Answer {
        /// The status.
        status: u16,
        /// Headers beside the length of the body.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// Answers, and then closes the connection although it promised to keep it.
    AnswerAndClose(Vec<u8>),
    /// Says nothing and keeps the connection open.
    Hang,
    /// Closes the connection without an answer.
    Close,
    /// Promises a longer body than it sends, then closes the connection.
    Truncate(Vec<u8>),
}

impl Reply {
    /// An answer in JSON.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply::Answer {
            status,
            headers: vec![("content-type", "application/x-amz-json-1.1".to_owned())],
            body: body.into(),
        }
    }
}

/// A server on a free port of the loopback address. It ends with this value.
pub struct Server {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl Server {
    /// Starts a server that answers each request with what the function says. The function may block; every
    /// connection has its own thread.
    pub fn start(reply: impl Fn(Request) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let server = Server {
            address: listener.local_addr().unwrap(),
            is_over: Arc::default(),
            connections: Arc::default(),
        };
        let (is_over, connections) = (Arc::clone(&server.is_over), Arc::clone(&server.connections));
        let reply = Arc::new(reply);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                connections.lock().unwrap().push(stream.try_clone().unwrap());
                let reply = Arc::clone(&reply);
                // An error here is the client's going away.
                thread::spawn(move || serve(stream, &*reply).ok());
            }
        });
        server
    }

    /// Host and port.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts, and those that read.
        TcpStream::connect(self.address).ok();
        for connection in self.connections.lock().unwrap().drain(..) {
            connection.shutdown(Shutdown::Both).ok();
        }
    }
}

fn serve(stream: TcpStream, reply: &dyn Fn(Request) -> Reply) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    while let Some(request) = read_request(&mut input)? {
        match reply(request) {
            Reply::Answer {
                status,
                headers,
                body,
            } => {
                let mut answer = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    answer.extend([name, ": ", &value, "\r\n"]);
                }
                answer += "\r\n";
                out.write_all(&[answer.as_bytes(), &body].concat())?;
            }
            Reply::AnswerAndClose(body) => {
                let head = format!("HTTP/1.1 200 -\r\ncontent-length: {}\r\n\r\n", body.len());
                out.write_all(&[head.as_bytes(), &body].concat())?;
                break;
            }
            // The other handle on the connection stays in the server's list.
            Reply::Hang => return Ok(()),
            Reply::Close => break,
            Reply::Truncate(body) => {
                let head = format!("HTTP/1.1 200 -\r\ncontent-length: {}\r\n\r\n", body.len() + 100);
                out.write_all(&[head.as_bytes(), &body].concat())?;
                break;
            }
        }
    }
    out.shutdown(Shutdown::Both)
}

fn read_request(input: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    assert!(
        !headers.contains_key("transfer-encoding"),
        "a body without a length"
    );
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    Ok(Some(Request {
        method,
        path,
        headers,
        body,
    }))
}
