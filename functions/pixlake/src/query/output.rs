//! Writes an answer: as a table for people, as JSON or CSV for programs.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ColumnConstraint, Table, presets};
use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Schema};
use futures::StreamExt as _;

use super::json_text;
use super::{QueryError, QueryResult};
use crate::terminal::Escaped;

/// A table shows so many rows; the rest are only counted.
pub const MAX_TABLE_ROWS: usize = 1000;
/// A table's cell shows so many characters.
const MAX_CELL_CHARS: usize = 60;
/// The same in the head of an answer.
const HEAD_CELL_CHARS: usize = 40;
/// The head of an answer is not wider than so many columns of a terminal.
pub const HEAD_WIDTH: u16 = 100;

/// A form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns. Long texts are cut, and so is a long answer: for people only.
    #[default]
    Table,
    /// One array of objects, each with every column.
    Json,
    /// RFC 4180 with a header line. A text that a spreadsheet would take for a formula gets an apostrophe
    Csv,
}

/// Writes an answer as its rows are computed, and gives their number.
pub async fn write(format: Format, mut result: QueryResult, out: &mut impl Write) -> Result<u64, QueryError> {
    let mut writer = match format {
        Format::Table => AnswerWriter::Table(Box::new(TableWriter::new(
            &result.schema,
            MAX_TABLE_ROWS,
            MAX_CELL_CHARS,
        ))),
        Format::Json => AnswerWriter::Json {
            rows: 0,
            line: Vec::new(),
        },
        Format::Csv => AnswerWriter::Csv(header(&result.schema, &mut *out)?),
    };
    let mut rows = 0;
    while let Some(batch) = result.batches.next().await {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        match &mut writer {
            AnswerWriter::Table(table) => table.add(&batch)?,
            AnswerWriter::Json { rows, line } => write_json(&batch, rows, line, out)?,
            AnswerWriter::Csv(record) => write_csv(&batch, record, out)?,
        }
    }
    match writer {
        AnswerWriter::Table(table) => table.finish("; JSON and CSV have all of them", out)?,
        AnswerWriter::Json { rows: 0, .. } => out.write_all(b"[]\n")?,
        AnswerWriter::Json { .. } => out.write_all(b"\n]\n")?,
        AnswerWriter::Csv(_) => {}
    }
    out.flush()?;
    Ok(rows)
}

/// Writes the first rows and columns of an answer as a table of [`HEAD_WIDTH`], and gives the number of all its rows.
pub async fn write_head(
    mut result: QueryResult,
    max_rows: usize,
    out: &mut impl Write,
) -> Result<u64, QueryError> {
    let mut table = TableWriter::new(&result.schema, max_rows, HEAD_CELL_CHARS);
    while let Some(batch) = result.batches.next().await {
        table.add(&batch?)?;
    }
    let rows = table.rows as u64;
    let hidden = table.hide_columns_beyond(HEAD_WIDTH);
    table.finish("", out)?;
    if hidden > 0 {
        writeln!(
            out,
            "and {hidden} more column{}",
            if hidden == 1 { "" } else { "s" }
        )?;
    }
    Ok(rows)
}

enum AnswerWriter {
    Table(Box<TableWriter>),
    Json { rows: u64, line: Vec<u8> },
    Csv(Vec<u8>),
}

/// Writes a batch's rows, one object a line.
fn write_json(
    batch: &RecordBatch,
    rows: &mut u64,
    line: &mut Vec<u8>,
    out: &mut impl Write,
) -> io::Result<()> {
    let schema = batch.schema_ref();
    for row in 0..batch.num_rows() {
        line.clear();
        line.extend_from_slice(if *rows == 0 { b"[\n" } else { b",\n" });
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let members = names.zip(batch.columns().iter().map(|column| &**column));
        json_text::write_object(line, members, row)?;
        out.write_all(line)?;
        *rows += 1;
    }
    Ok(())
}

/// Writes the header line; gives a buffer for the lines to come.
fn header(schema: &Schema, out: &mut impl Write) -> io::Result<Vec<u8>> {
    let mut record = csv_writer(Vec::new());
    for field in schema.fields() {
        record.write_field(safe_for_spreadsheets(field.name().clone()))?;
    }
    finish_line(record, out)
}

fn write_csv(batch: &RecordBatch, buffer: &mut Vec<u8>, out: &mut impl Write) -> io::Result<()> {
    let mut record = csv_writer(std::mem::take(buffer));
    for row in 0..batch.num_rows() {
        for column in batch.columns() {
            let cell = plain_text(column, row)?.unwrap_or_default();
            record.write_field(if is_text(column.data_type()) {
                safe_for_spreadsheets(cell)
            } else {
                cell
            })?;
        }
        record.write_record(None::<&[u8]>)?;
    }
    let mut lines = record
        .into_inner()
        .map_err(|error| io::Error::other(error.to_string()))?;
    out.write_all(&lines)?;
    lines.clear();
    *buffer = lines;
    Ok(())
}

fn csv_writer(buffer: Vec<u8>) -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(buffer)
}

fn finish_line(mut record: csv::Writer<Vec<u8>>, out: &mut impl Write) -> io::Result<Vec<u8>> {
    record.write_record(None::<&[u8]>)?;
    let mut line = record
        .into_inner()
        .map_err(|error| io::Error::other(error.to_string()))?;
    out.write_all(&line)?;
    line.clear();
    Ok(line)
}

/// A text that a spreadsheet would take for a formula gets an apostrophe in front.
/// Source: <https://owasp.org/www-community/attacks/CSV_Injection>
fn safe_for_spreadsheets(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text
    }
}

/// Whether values of the type are what somebody wrote, not numbers, times or JSON of ours.
fn is_text(data_type: &DataType) -> bool {
    !(data_type.is_numeric()
        || data_type.is_temporal()
        || data_type.is_nested()
        || matches!(data_type, DataType::Boolean | DataType::Null))
}

/// A value without JSON's quotes; none for null. Lists are JSON.
fn plain_text(column: &dyn Array, row: usize) -> io::Result<Option<String>> {
    let data_type = column.data_type();
    if column.is_null(row) || data_type == &DataType::Null {
        return Ok(None);
    }
    if is_text(data_type) || data_type.is_temporal() {
        return json_text::text(column, row).map(Some);
    }
    let mut json = Vec::new();
    json_text::write_value(&mut json, column, row)?;
    String::from_utf8(json).map(Some).map_err(io::Error::other)
}

/// Collects the rows that a table shows.
struct TableWriter {
    table: Table,
    max_rows: usize,
    max_cell_chars: usize,
    shown: usize,
    rows: usize,
}

impl TableWriter {
    fn new(schema: &Schema, max_rows: usize, max_cell_chars: usize) -> TableWriter {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_header(
            schema
                .fields()
                .iter()
                .map(|field| cell(field.name(), max_cell_chars)),
        );
        for (column, field) in table.column_iter_mut().zip(schema.fields()) {
            if field.data_type().is_numeric() {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        TableWriter {
            table,
            max_rows,
            max_cell_chars,
            shown: 0,
            rows: 0,
        }
    }

    fn add(&mut self, batch: &RecordBatch) -> io::Result<()> {
        for row in 0..batch.num_rows().min(self.max_rows - self.shown) {
            let cells = batch.columns().iter().map(|column| {
                plain_text(column, row).map(|text| cell(&text.unwrap_or_default(), self.max_cell_chars))
            });
            self.table.add_row(cells.collect::<io::Result<Vec<_>>>()?);
            self.shown += 1;
        }
        self.rows += batch.num_rows();
        Ok(())
    }

    /// Hides the columns on the right that do not fit, and says how many.
    fn hide_columns_beyond(&mut self, width: u16) -> usize {
        let mut taken = 1; // the line on the left
        let mut hidden = 0;
        let widths = self.table.column_max_content_widths();
        for (column, content) in self.table.column_iter_mut().zip(widths) {
            taken += content + 3; // a space on each side and a line
            if taken > width {
                column.set_constraint(ColumnConstraint::Hidden);
                hidden += 1;
            }
        }
        hidden
    }

    /// Writes the table, and where rows are left out their number and a hint.
    fn finish(self, hint: &str, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", self.table)?;
        if self.rows > self.shown {
            writeln!(out, "the first {} of {} rows{hint}", self.shown, self.rows)?;
        }
        Ok(())
    }
}

/// The text of a cell: cut, and safe to show.
fn cell(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        None => Escaped(text).to_string(),
        Some((end, _)) => format!("{}…", Escaped(text.get(..end).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_texts_and_other_texts_stay() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            assert_eq!(safe_for_spreadsheets(formula.to_owned()), format!("'{formula}"));
        }
        for text in ["", "a=1", "1-2", " =1", "'=1"] {
            assert_eq!(safe_for_spreadsheets(text.to_owned()), text);
        }
    }

    #[test]
    fn a_cell_is_cut_and_safe_to_show() {
        assert_eq!(cell("a\u{1b}[31mb\n\u{202e}€", 60), "a\\u{1b}[31mb\\n\\u{202e}€");
        assert_eq!(cell(&"x".repeat(61), 60).chars().count(), 61);
        assert!(cell(&"x".repeat(61), 60).ends_with("x…"));
        assert_eq!(cell(&"x".repeat(60), 60), "x".repeat(60));
    }
}
