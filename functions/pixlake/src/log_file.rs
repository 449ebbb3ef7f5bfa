//! Log files, line by line: plain or gzip, of any size, in constant memory.

use std::fs::File;
use std::hash::Hasher as _;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;
use log_batch::MAX_LINE_BYTES;
use twox_hash::XxHash64;

use crate::error::CommandError;

/// What is read of a line at the most, newline included: where a line is longer than a line may be, so much
/// of it that the function sees that. Memory has to end somewhere.
const MAX_READ: usize = MAX_LINE_BYTES + 1;

/// The first bytes of a gzip file (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Where log lines come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// None for standard input.
    path: Option<PathBuf>,
}

impl Input {
    /// A file; `-` is standard input.
    #[must_use]
    pub fn new(path: PathBuf) -> Input {
        Input {
            path: Some(path).filter(|path| path.as_os_str() != "-"),
        }
    }

    /// Standard input.
    #[must_use]
    pub fn stdin() -> Input {
        Input { path: None }
    }

    /// The name that messages use.
    #[must_use]
    pub fn name(&self) -> String {
        self.path
            .as_ref()
            .map_or_else(|| "standard input".to_owned(), |path| path.display().to_string())
    }

    /// Size of the file in bytes, as it lies there; none for standard input and for what is no plain file.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        let metadata = std::fs::metadata(self.path.as_ref()?).ok()?;
        metadata.is_file().then_some(metadata.len())
    }

    /// Opens the input for reading line by line; bytes that are read move the progress bar.
    pub fn open(&self, progress: &ProgressBar) -> Result<LogFile, CommandError> {
        let source: Box<dyn Read + Send> = match &self.path {
            Some(path) => {
                if path.is_dir() {
                    return Err(CommandError::Job(format!(
                        "{}: is a folder; expected a log file",
                        self.name()
                    )));
                }
                let file = File::open(path)
                    .map_err(|error| CommandError::Job(format!("{}: {error}", self.name())))?;
                Box::new(progress.wrap_read(file))
            }
            None => Box::new(progress.wrap_read(io::stdin())),
        };
        LogFile::new(source, self.name())
    }

    /// All bytes of the input, decompressed.
    pub fn read_all(&self) -> Result<Vec<u8>, CommandError> {
        let mut file = self.open(&ProgressBar::hidden())?;
        let mut bytes = Vec::new();
        file.reader
            .read_to_end(&mut bytes)
            .map_err(|error| file.error(&error))?;
        Ok(bytes)
    }
}

/// An open log file. It keeps a running digest, so that every line has an identity that does not depend on
/// the file's name, and that stays when the file grows.
pub struct LogFile {
    name: String,
    reader: Box<dyn BufRead + Send>,
    digest: XxHash64,
    /// Lines read so far.
    lines: u64,
}

impl LogFile {
    fn new(source: Box<dyn Read + Send>, name: String) -> Result<LogFile, CommandError> {
        let mut reader = BufReader::with_capacity(1 << 17, source);
        let head = reader
            .fill_buf()
            .map_err(|error| CommandError::Job(format!("{name}: {error}")))?;
        let reader: Box<dyn BufRead + Send> = if head.starts_with(&GZIP_MAGIC) {
            Box::new(BufReader::with_capacity(1 << 17, MultiGzDecoder::new(reader)))
        } else {
            Box::new(reader)
        };
        Ok(LogFile {
            name,
            reader,
            digest: XxHash64::with_seed(0),
            lines: 0,
        })
    }

    /// Reads the next line, with its newline, into the buffer; false at the end. Of a line longer than
    /// [`MAX_LINE_BYTES`] come the first bytes, one more than those, and the rest is passed over.
    pub fn read_line(&mut self, line: &mut Vec<u8>) -> Result<bool, CommandError> {
        line.clear();
        let read = self.reader.by_ref().take(MAX_READ as u64).read_until(b'\n', line);
        let read = read.map_err(|error| self.error(&error))?;
        if read == 0 {
            return Ok(false);
        }
        self.lines += 1;
        self.digest.write(line);
        if read == MAX_READ && line.last() != Some(&b'\n') {
            self.reader
                .skip_until(b'\n')
                .map_err(|error| self.error(&error))?;
        }
        Ok(true)
    }

    /// Number of the line read last, from 1.
    #[must_use]
    pub fn line_number(&self) -> u64 {
        self.lines
    }

    /// Digest of the file up to the end of the line read last.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digest.finish()
    }

    fn error(&self, error: &io::Error) -> CommandError {
        CommandError::Job(format!("{}: after line {}: {error}", self.name, self.lines))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Length of each line, and the file's digest behind it.
    fn read(bytes: Vec<u8>) -> Vec<(usize, u64)> {
        let mut file = LogFile::new(Box::new(io::Cursor::new(bytes)), "test".to_owned()).unwrap();
        let (mut lines, mut line) = (Vec::new(), Vec::new());
        while file.read_line(&mut line).unwrap() {
            lines.push((line.len(), file.digest()));
        }
        lines
    }

    #[test]
    fn gzip_and_plain_give_the_same_lines() {
        let plain = b"one\ntwo\r\n\nlast".to_vec();
        // Two members one behind the other: what `cat a.gz b.gz` makes.
        let gzip: Vec<u8> = [&plain[..5], &plain[5..]]
            .into_iter()
            .flat_map(|part| {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(part).unwrap();
                encoder.finish().unwrap()
            })
            .collect();
        let lines = read(plain);
        assert_eq!(lines.iter().map(|line| line.0).collect::<Vec<_>>(), [4, 5, 1, 4]);
        assert_eq!(read(gzip), lines);
        assert_eq!(read(Vec::new()), []);
    }

    #[test]
    fn equal_lines_have_their_own_digests_and_a_longer_file_keeps_them() {
        let short = read(b"x\nx\n".to_vec());
        assert_ne!(short[0].1, short[1].1);
        assert_eq!(read(b"x\nx\ny\n".to_vec())[..2], short[..]);
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let lengths =
            |bytes: &[u8]| -> Vec<usize> { read(bytes.to_vec()).iter().map(|line| line.0).collect() };
        let mut bytes = vec![b'x'; 1 << 20];
        bytes.extend_from_slice(b"\nok\n");
        assert_eq!(lengths(&bytes), [(1 << 20) + 1, 3]);
        // One byte more, without its newline: no line of a file can be taken for it.
        for longer in [1, 2, 3 << 20] {
            let bytes = [&vec![b'x'; longer], &*bytes].concat();
            assert_eq!(lengths(&bytes), [(1 << 20) + 1, 3], "{longer}");
        }
    }

    #[test]
    fn a_damaged_gzip_file_is_an_error_with_its_place() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&b"line\n".repeat(1000)).unwrap();
        let mut gzip = encoder.finish().unwrap();
        gzip.truncate(gzip.len() - 6);
        let mut file = LogFile::new(Box::new(io::Cursor::new(gzip)), "cut.gz".to_owned()).unwrap();
        let failure = loop {
            match file.read_line(&mut Vec::new()) {
                Ok(false) => panic!("the damage went unseen"),
                Ok(true) => {}
                Err(failure) => break failure,
            }
        };
        assert!(matches!(failure, CommandError::Job(message) if message.starts_with("cut.gz: after line ")));
    }
}
