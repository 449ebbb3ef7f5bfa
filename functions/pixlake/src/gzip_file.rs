//! Gzip, also where it is damaged: all that stands before the damage is read.
//!
//! Only a checksum at the end of a member tells that bytes within it were altered: where, nothing tells.

use std::io::{self, BufRead, Read, Write as _};

use flate2::write::GzDecoder;

/// The first bytes of a gzip file (RFC 1952, section 2.3.1).
pub(crate) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads the members of a gzip file, one behind the other. Zeros behind a member are padding, as tapes and
/// `gzip` itself have it.
///
/// flate2's own reader drops what it decompressed in the call that meets the damage. This one pushes into its
/// writer, which keeps that.
pub(crate) struct GzipFile<R> {
    source: R,
    /// Bytes of the source that were read.
    offset: u64,
    /// The member that is being read; none between two.
    member: Option<GzDecoder<Vec<u8>>>,
    /// What was decompressed, and how much of it was handed out.
    ready: Vec<u8>,
    handed_out: usize,
    damage: Option<&'static str>,
}

impl<R: BufRead> GzipFile<R> {
    pub(crate) fn new(source: R) -> GzipFile<R> {
        GzipFile {
            source,
            offset: 0,
            member: None,
            ready: Vec::new(),
            handed_out: 0,
            damage: None,
        }
    }

    /// Decompresses some more; false at the end of the file.
    fn advance(&mut self) -> io::Result<bool> {
        self.ready.clear();
        self.handed_out = 0;
        let input = self.source.fill_buf()?;
        if input.is_empty() {
            return Ok(self.end_member(
                "it ends too early, or its checksum is wrong and any of its lines may be altered",
            ));
        }
        let taken = match &mut self.member {
            None => {
                let zeros = input.iter().take_while(|byte| **byte == 0).count();
                if zeros == 0 {
                    self.member = Some(GzDecoder::new(Vec::new()));
                }
                zeros
            }
            Some(member) => match member.write(input) {
                Ok(0) => {
                    self.end_member("its checksum is wrong, and any of its lines may be altered");
                    0
                }
                Ok(taken) => {
                    std::mem::swap(&mut self.ready, member.get_mut());
                    taken
                }
                Err(_) => {
                    self.end_member("");
                    self.damage = Some("what follows is not gzip");
                    0
                }
            },
        };
        self.source.consume(taken);
        self.offset += taken as u64;
        Ok(true)
    }

    /// Takes the rest of the member, and notes the damage where that was not its end; false without a member.
    fn end_member(&mut self, damage: &'static str) -> bool {
        let Some(mut member) = self.member.take() else {
            return false;
        };
        if member.try_finish().is_err() {
            self.damage = Some(damage);
        }
        self.ready = std::mem::take(member.get_mut());
        true
    }
}

impl<R: BufRead> Read for GzipFile<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut rest = self.ready.get(self.handed_out..).unwrap_or_default();
            if !rest.is_empty() {
                let read = rest.read(buffer)?;
                self.handed_out += read;
                return Ok(read);
            }
            if let Some(damage) = self.damage {
                let message = format!("the gzip data is damaged near byte {}: {damage}", self.offset);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            if !self.advance()? {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// What is read with a buffer of this size, and the error behind it.
    fn read(file: &[u8], buffer: usize) -> (Vec<u8>, Option<String>) {
        let mut text = Vec::new();
        let end = GzipFile::new(BufReader::with_capacity(buffer, file)).read_to_end(&mut text);
        (text, end.err().map(|error| error.to_string()))
    }

    /// Lines that do not compress to nothing: a file of them is long enough to be cut anywhere.
    fn lines() -> Vec<u8> {
        let lines =
            (0_u64..4_000).map(|number| format!("{:016x}\n", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        lines.collect::<String>().into_bytes()
    }

    #[test]
    fn members_and_padding_are_read_to_the_end() {
        let text = lines();
        let (first, second) = text.split_at(1_000);
        for padding in [0, 1, 511, 9_000] {
            let zeros = vec![0; padding];
            let file = [gzip(first), zeros.clone(), gzip(b""), gzip(second), zeros].concat();
            for buffer in [1, 7, 4_096, 1 << 17] {
                assert_eq!(read(&file, buffer), (text.clone(), None), "{padding} {buffer}");
            }
        }
    }

    #[test]
    fn a_cut_file_gives_all_that_its_bytes_hold() {
        let text = lines();
        let file = gzip(&text);
        let mut before = 0;
        for cut in (10..file.len()).step_by(file.len() / 200) {
            let (read, error) = read(&file[..cut], 1 << 17);
            assert!(text.starts_with(&read), "{cut}");
            // 17 characters hold eight random bytes, and so take about as many, behind some header.
            assert!(
                read.len() >= before && read.len() * 10 + 10_000 > cut * 17,
                "{cut}: {}",
                read.len()
            );
            let expected = format!("near byte {cut}: it ends too early");
            assert!(error.unwrap().contains(&expected));
            before = read.len();
        }
        assert!(before * 100 > text.len() * 99);
    }

    #[test]
    fn what_stands_before_a_damage_is_read() {
        let text = lines();
        let file = gzip(&text);
        let whole = file.len();
        // The checksum: every line is read, and the damage is told.
        let mut wrong = file.clone();
        wrong[whole - 5] ^= 1;
        let (read_text, error) = read(&wrong, 1 << 17);
        assert_eq!(read_text, text);
        let expected = format!(
            "near byte {whole}: it ends too early, or its checksum is wrong and any of its lines may be altered"
        );
        assert!(error.unwrap().contains(&expected));
        let (read_text, error) = read(&[&wrong[..], &file[..]].concat(), 1 << 17);
        assert_eq!(read_text, text);
        assert!(
            error
                .unwrap()
                .contains(&format!("near byte {whole}: its checksum is wrong"))
        );
        // Behind a member something else.
        let (read_text, error) = read(&[&file[..], b"garbage behind it"].concat(), 1 << 17);
        assert_eq!(read_text, text);
        assert!(
            error
                .unwrap()
                .contains(&format!("near byte {whole}: what follows is not gzip"))
        );
        // A header without its flags.
        let (read_text, error) = read(&[&file[..], &file[..3]].concat(), 1 << 17);
        assert_eq!(read_text, text);
        assert!(error.unwrap().contains("it ends too early"));
        // A block of a type that deflate does not have (RFC 1951, section 3.2.3), behind a good one.
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(&text).unwrap();
        raw.flush().unwrap();
        let good = raw.get_ref().len();
        let mut bad = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255][..], raw.get_ref()].concat();
        assert_eq!(bad.len(), good + 10);
        bad.extend([0b110; 64]);
        for buffer in [100, 1 << 17] {
            let (read_text, error) = read(&bad, buffer);
            assert_eq!(read_text, text, "{buffer}");
            assert!(error.unwrap().contains("what follows is not gzip"));
        }
    }
}
