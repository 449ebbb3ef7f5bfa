//! A bucket of the S3 emulator.

use std::fmt::Write as _;

use super::service::Service;

/// A bucket.
pub struct Bucket {
    s3: Service,
    name: String,
}

impl Bucket {
    /// Makes the bucket.
    pub fn create(s3: Service, name: &str) -> Bucket {
        let bucket = Bucket {
            s3,
            name: name.to_owned(),
        };
        let place = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>\
                     </CreateBucketConfiguration>";
        bucket.request("PUT", "", place.as_bytes());
        bucket
    }

    /// Puts an object.
    pub fn put(&self, key: &str, body: &[u8]) {
        self.request("PUT", &format!("/{}", encode(key)), body);
    }

    /// The object.
    pub fn get(&self, key: &str) -> Vec<u8> {
        self.request("GET", &format!("/{}", encode(key)), b"")
    }

    /// All keys under a prefix, in order.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        loop {
            let after = keys.last().map(|last| encode(last)).unwrap_or_default();
            let query = format!("?list-type=2&prefix={}&start-after={after}", encode(prefix));
            let page = String::from_utf8(self.request("GET", &query, b"")).unwrap();
            let before = keys.len();
            keys.extend(page.split("<Key>").skip(1).map(|rest| {
                let key = rest.split("</Key>").next().unwrap();
                assert!(!key.contains('&'), "a key that XML escapes: {key}");
                key.to_owned()
            }));
            if keys.len() == before {
                return keys;
            }
        }
    }

    fn request(&self, method: &str, rest: &str, body: &[u8]) -> Vec<u8> {
        let path = format!("/{}{rest}", self.name);
        let answer = self.s3.request(method, &path, &[], body);
        assert_eq!(
            answer.status,
            200,
            "{method} {path}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        answer.body
    }
}

/// Percent-encodes all but what S3 leaves as it is in a path.
fn encode(key: &str) -> String {
    let mut encoded = String::new();
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => write!(encoded, "%{byte:02X}").unwrap(),
        }
    }
    encoded
}
