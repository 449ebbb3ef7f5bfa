//! What strangers wrote, on a terminal: no character of it may steer the terminal or turn a line around.

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _, Write};

/// Whether a terminal may take a character for more than its sign: control characters (ECMA-48, C0 and C1),
/// and those that change the direction of a text (UAX #9) or break its line.
fn steers(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// A text of one line with everything in it escaped that could steer a terminal.
pub(crate) struct Escaped<T>(pub(crate) T);

impl<T: AsRef<str>> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().chars().try_for_each(|char| {
            if steers(char) {
                write!(f, "{}", char.escape_default())
            } else {
                f.write_char(char)
            }
        })
    }
}

/// Standard output; where it is a terminal, what could steer it is escaped.
pub(crate) fn stdout() -> Box<dyn Write + Send> {
    let out = io::stdout();
    if out.is_terminal() {
        Box::new(TerminalWriter::new(out))
    } else {
        Box::new(out)
    }
}

/// Escapes what is written but for the ends of lines, and writes it on. Bytes that are not UTF-8 become U+FFFD.
struct TerminalWriter<W: Write> {
    out: W,
    /// The bytes of a character, or of an end of line, that are not all there yet.
    waiting: Vec<u8>,
}

impl<W: Write> TerminalWriter<W> {
    fn new(out: W) -> TerminalWriter<W> {
        TerminalWriter {
            out,
            waiting: Vec::new(),
        }
    }

    fn write_text(&mut self, text: &str) -> io::Result<()> {
        for line in text.split_inclusive('\n') {
            let end = ["\r\n", "\n"]
                .into_iter()
                .find(|end| line.ends_with(end))
                .unwrap_or("");
            let line = line.strip_suffix(end).unwrap_or(line);
            write!(self.out, "{}{end}", Escaped(line))?;
        }
        Ok(())
    }
}

impl<W: Write> Write for TerminalWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        let waiting = std::mem::take(&mut self.waiting);
        let mut chunks = waiting.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            let (mut text, mut invalid) = (chunk.valid(), chunk.invalid());
            // The last bytes may be the beginning of a character, and a carriage return that of an end of line.
            if chunks.peek().is_none() {
                let is_begun = str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
                if is_begun {
                    self.waiting.extend_from_slice(invalid);
                    invalid = b"";
                } else if let Some(before) = text.strip_suffix('\r').filter(|_| invalid.is_empty()) {
                    self.waiting.push(b'\r');
                    text = before;
                }
            }
            self.write_text(text)?;
            if !invalid.is_empty() {
                self.write_text("\u{fffd}")?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_could_steer_is_shown_as_what_it_is() {
        for (text, shown) in [
            ("a\u{1b}[31mb", "a\\u{1b}[31mb"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            (
                "\u{202e}gpj.exe\u{2066}\u{61c}",
                "\\u{202e}gpj.exe\\u{2066}\\u{61c}",
            ),
            ("a\u{2028}b\r\n", "a\\u{2028}b\\r\\n"),
            ("grün € 日本 😀", "grün € 日本 😀"),
        ] {
            assert_eq!(Escaped(text).to_string(), shown);
        }
    }

    fn through(parts: &[&[u8]]) -> String {
        let mut writer = TerminalWriter::new(Vec::new());
        for part in parts {
            writer.write_all(part).unwrap();
        }
        String::from_utf8(writer.out).unwrap()
    }

    #[test]
    fn ends_of_lines_stay_and_nothing_else_that_steers() {
        assert_eq!(
            through(&[b"a\r\nb\n\x1b]0;x\x07\rc\n"]),
            "a\r\nb\n\\u{1b}]0;x\\u{7}\\rc\n"
        );
        assert_eq!(through(&[b"a\r", b"\nb\r", b"c\n"]), "a\r\nb\\rc\n");
        assert_eq!(
            through(&[b"\xc2", b"\x9b31m \xff \xc3", b" \n"]),
            "\\u{9b}31m \u{fffd} \u{fffd} \n"
        );
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_a_text_is_cut(text in "(\\PC|[\\x00-\\x1f\u{80}-\u{9f}\u{202e}]){0,20}", cut in 0_usize..40) {
            let text = format!("{text}\n");
            let (head, tail) = text.as_bytes().split_at(cut.min(text.len()));
            let written = through(&[head, tail]);
            prop_assert_eq!(&written, &through(&[text.as_bytes()]));
            let lines = written.replace("\r\n", "\n");
            prop_assert!(lines.chars().all(|char| char == '\n' || !steers(char)));
        }
    }
}
