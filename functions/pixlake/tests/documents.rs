//! Documents say what the code does: tables are generated from it, and the run in the README is a real one.
//!
//! `UPDATE_DOCS=1 cargo test -p pixlake --test documents` writes them anew.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pixel_log::parameters::{PARAMETERS, Parameter};
use pixel_row::Column;
use pixel_row::{FailedEvent, Row};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Compares a document with what it should be, or writes it.
fn hold(path: &Path, expected: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch of this test is not a setting of the program"
    )]
    let update = std::env::var("UPDATE_DOCS").is_ok_and(|value| value == "1");
    if update {
        fs::write(path, expected).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    let differ = found
        .lines()
        .zip(expected.lines())
        .find(|(found, expected)| found != expected);
    assert!(
        found == expected,
        "{} is out of date, UPDATE_DOCS=1 writes it anew; the first lines that differ: {differ:?}",
        path.display()
    );
}

/// A document with the text between the markers of this name replaced.
fn hold_section(path: &str, name: &str, text: &str) {
    let path = repository().join(path);
    let document = fs::read_to_string(&path).unwrap();
    let (begin, end) = (
        format!("<!-- begin: {name} -->\n"),
        format!("<!-- end: {name} -->"),
    );
    let (before, rest) = document.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    hold(&path, &format!("{before}{begin}{text}{end}{after}"));
}

fn columns(title: &str, columns: &[Column]) -> String {
    let mut text = format!("## `{title}`\n");
    let mut group = "";
    for column in columns {
        if column.group != group {
            group = column.group;
            write!(text, "\n### {group}\n\n| column | type | unit or format | class | what |\n| --- | --- | --- | --- | --- |\n").unwrap();
        }
        let limit = if column.max_bytes > 0 {
            format!(", ≤ {} bytes", column.max_bytes)
        } else {
            String::new()
        };
        writeln!(
            text,
            "| `{}` | {}{limit} | {} | {} | {} |",
            column.name,
            column.column_type.glue(),
            column.unit,
            column.privacy.letter(),
            column.doc
        )
        .unwrap();
    }
    text
}

/// One test, because its parts write to one file.
#[test]
fn documents_are_up_to_date() {
    let mut reference = String::from(
        "# Columns\n\nGenerated from the declarations in `functions/pixel-row`. Class: **T** technical, **Q** \
         quasi-identifier, **S** pseudonym, **I** personal data, **C** commercial. Every column may be null. \
         `events` has the columns of `events_landed`, one row per event, and the decimal `value` beside \
         `value_micros`.\n\n",
    );
    reference.push_str(&columns("events_landed", Row::COLUMNS));
    reference.push_str(
        "\nPartition columns, both strings: `dt` (`2026-11-01`) and `hour` (`07`) of `ts_server`, UTC.\n\n",
    );
    reference.push_str(
        "### Scrubbed texts\n\nA page's address carries personal data unasked. In the columns that are scrubbed a mark \
         stands for what has one of these shapes, behind any layers of percent-encoding. In addresses it takes the place \
         of all between two slashes, in the title of the find alone. Other shapes are not known, and no other column is \
         looked at: ids, the names of event and site and above all custom properties hold what the page sends, so do not \
         put personal data there.\n\n| mark | in place of |\n| --- | --- |\n",
    );
    for (mark, what) in pixel_log::SCRUBBED {
        writeln!(reference, "| `{mark}` | {what} |").unwrap();
    }
    reference.push('\n');
    reference.push_str(&columns("failed_events_landed", FailedEvent::COLUMNS));
    reference.push_str(
        "\nPartition column, a string: `dt`, the UTC day on which Firehose took the failed event in. It is near that of \
         `ts_ingested`, and later than that of `ts_arrival` where the line had to wait.\n",
    );
    hold(&repository().join("docs/columns.md"), &reference);

    let mut parameters = String::from("| parameter | column | what |\n| --- | --- | --- |\n");
    for parameter in PARAMETERS {
        let Parameter {
            name, column, doc, ..
        } = parameter;
        assert!(
            Row::COLUMNS.iter().any(|known| known.name == *column),
            "{name} names no column"
        );
        writeln!(parameters, "| `{name}` | `{column}` | {doc} |").unwrap();
    }
    hold_section("docs/pixel.md", "parameters", &parameters);

    let mut reasons = String::from("| reason | when |\n| --- | --- |\n");
    for (code, when) in log_batch::FailureReason::REASONS {
        writeln!(reasons, "| `{code}` | {when} |").unwrap();
    }
    hold_section("docs/guarantees.md", "reasons", &reasons);

    let folder = tempfile::tempdir().unwrap();
    let demo = support::pixlake()
        .arg("demo")
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
    let demo = String::from_utf8(demo.stdout).unwrap();
    let mut parts = demo.split("\n\n");
    let counts = parts.next().unwrap();
    let report = parts
        .find(|part| part.starts_with("aggregate event count"))
        .unwrap();
    hold_section(
        "README.md",
        "demo",
        &format!("```text\n{counts}\n…\n{report}\n…\n```\n"),
    );
}

/// What a newcomer reads is short, and no table needs a wider window than a terminal's.
#[test]
fn documents_are_short_and_their_tables_narrow() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 176, "{} lines", readme.lines().count());
    for line in readme.lines().filter(|line| line.starts_with(['|', '│'])) {
        assert!(line.chars().count() <= 120, "{line}");
    }
}
