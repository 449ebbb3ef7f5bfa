//! Log files, line by line: plain or gzip, of any size, in constant memory.

use std::fmt;
use std::fs::File;
use std::hash::Hasher as _;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use indicatif::ProgressBar;
use log_batch::MAX_LINE_BYTES;
use twox_hash::XxHash64;

use crate::gzip_file::{GZIP_MAGIC, GzipFile};

/// What is read of a line at the most, newline included: where a line is longer than a line may be, so much
/// of it that the function sees that. Memory has to end somewhere.
const MAX_READ: usize = MAX_LINE_BYTES + 1;

/// How files begin that hold no lines of ours, what they are, and how to go on.
const OTHER_FORMATS: [(&[u8], &str); 10] = [
    (b"#Version:", STANDARD_LOG),
    (b"#Fields:", STANDARD_LOG),
    (
        b"\x28\xb5\x2f\xfd",
        "is compressed with zstd; pipe it in: zstd -dc FILE | pixlake ingest",
    ),
    (
        b"BZh",
        "is compressed with bzip2; pipe it in: bzip2 -dc FILE | pixlake ingest",
    ),
    (
        b"\xfd7zXZ\0",
        "is compressed with xz; pipe it in: xz -dc FILE | pixlake ingest",
    ),
    (
        b"PK\x03\x04",
        "is a zip archive; pipe a file of it in: unzip -p FILE | pixlake ingest",
    ),
    (b"PAR1", "is a Parquet file; expected a log"),
    (
        b"\xef\xbb\xbf",
        "begins with a byte order mark, which no log of CloudFront has; remove it",
    ),
    (b"\xff\xfe", UTF_16),
    (b"\xfe\xff", UTF_16),
];

/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html>
const STANDARD_LOG: &str = "is a standard log of CloudFront; pixlake reads real-time logs, whose fields differ: \
    give the distribution a real-time log configuration";

const UTF_16: &str =
    "is UTF-16; a log of CloudFront is ASCII: iconv -f UTF-16 -t UTF-8 FILE | pixlake ingest";

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

    /// Size of the file in bytes, as it lies there; none for standard input and for what is not a plain file.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        let metadata = std::fs::metadata(self.path.as_ref()?).ok()?;
        metadata.is_file().then_some(metadata.len())
    }

    /// Opens the input for reading line by line; bytes that are read move the progress bar.
    pub fn open(&self, progress: &ProgressBar) -> Result<LogFile, InputError> {
        let source: Box<dyn Read + Send> = match &self.path {
            Some(path) => {
                if path.is_dir() {
                    return Err(InputError(format!(
                        "{}: is a folder; expected a log file",
                        self.name()
                    )));
                }
                let file =
                    File::open(path).map_err(|error| InputError(format!("{}: {error}", self.name())))?;
                Box::new(progress.wrap_read(file))
            }
            None => Box::new(progress.wrap_read(io::stdin())),
        };
        let mut file = LogFile::new(source, self.name())?;
        file.expect_a_log()?;
        Ok(file)
    }

    /// All bytes of the input, decompressed.
    pub fn read_all(&self) -> Result<Vec<u8>, InputError> {
        let mut file = self.open(&ProgressBar::hidden())?;
        let mut bytes = Vec::new();
        file.reader
            .read_to_end(&mut bytes)
            .map_err(|error| file.error(&error))?;
        Ok(bytes)
    }
}

/// Why an input could not be read, or not to its end: its name, the place, and what was expected.
#[derive(Debug)]
pub struct InputError(String);

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InputError {}

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
    fn new(source: Box<dyn Read + Send>, name: String) -> Result<LogFile, InputError> {
        let mut reader = BufReader::with_capacity(1 << 17, source);
        let head = reader
            .fill_buf()
            .map_err(|error| InputError(format!("{name}: {error}")))?;
        let reader: Box<dyn BufRead + Send> = if head.starts_with(&GZIP_MAGIC) {
            Box::new(BufReader::with_capacity(1 << 17, GzipFile::new(reader)))
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
    /// [`MAX_LINE_BYTES`] come the first bytes, one more than those, and the rest is passed over. An error is
    /// the end of what can be read; a line that it cuts is none.
    pub fn read_line(&mut self, line: &mut Vec<u8>) -> Result<bool, InputError> {
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

    /// Refuses what is known to be no log of ours: each of its lines would be a failed event.
    fn expect_a_log(&mut self) -> Result<(), InputError> {
        let head = match self.reader.fill_buf() {
            Ok(head) => head,
            Err(error) => return Err(self.error(&error)),
        };
        match OTHER_FORMATS.iter().find(|(begin, _)| head.starts_with(begin)) {
            None => Ok(()),
            Some((_, what)) => Err(InputError(format!("{}: {what}", self.name))),
        }
    }

    fn error(&self, error: &io::Error) -> InputError {
        InputError(format!("{}: after line {}: {error}", self.name, self.lines))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

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
        let gzip: Vec<u8> = [&plain[..5], &plain[5..]].into_iter().flat_map(gzip).collect();
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
    fn a_damaged_gzip_file_gives_its_lines_and_then_its_place() {
        let mut gzip = gzip(&b"line\n".repeat(1000));
        // Only the checksum is cut.
        gzip.truncate(gzip.len() - 6);
        let mut file = LogFile::new(Box::new(io::Cursor::new(gzip)), "cut.gz".to_owned()).unwrap();
        for number in 1..=1000 {
            assert!(file.read_line(&mut Vec::new()).unwrap());
            assert_eq!(file.line_number(), number);
        }
        let error = file.read_line(&mut Vec::new()).unwrap_err().to_string();
        assert!(error.starts_with("cut.gz: after line 1000: the gzip data is damaged near byte "));
    }

    #[test]
    fn what_is_known_to_be_something_else_is_refused_by_its_name() {
        for (begin, what) in OTHER_FORMATS {
            let bytes = [begin, b" and more\n"].concat();
            for bytes in [gzip(&bytes), bytes] {
                let mut file = LogFile::new(Box::new(io::Cursor::new(bytes)), "a".to_owned()).unwrap();
                assert_eq!(file.expect_a_log().unwrap_err().to_string(), format!("a: {what}"));
            }
        }
        for bytes in [&b""[..], b"B", b"1668968526.477\t-\n"] {
            let mut file = LogFile::new(Box::new(io::Cursor::new(bytes)), "a".to_owned()).unwrap();
            assert!(file.expect_a_log().is_ok());
        }
    }
}
