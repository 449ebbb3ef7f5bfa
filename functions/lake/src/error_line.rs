//! What did not convert, in Firehose's words: one JSON object a line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pixel_row::Timestamp;
use serde::Serialize;

use super::table::Table;

/// Why Firehose sets a record aside; the name of its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ErrorType {
    /// Some value is not of its column's type, or the record is not JSON.
    FormatConversion,
    /// The partition cannot be told: there is no `ts_server`.
    MetadataExtraction,
}

impl ErrorType {
    /// The value of `!{firehose:error-output-type}`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            ErrorType::FormatConversion => "format-conversion-failed",
            ErrorType::MetadataExtraction => "metadata-extraction-failed",
        }
    }

    const fn code(self) -> &'static str {
        match self {
            ErrorType::FormatConversion => "DataFormatConversion.ParseError",
            ErrorType::MetadataExtraction => "DynamicPartitioning.MetadataExtractionFailed",
        }
    }
}

/// The format of a line.
/// Source: <https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion-error-handling.html>
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorLine<'a> {
    attempts_made: u32,
    arrival_timestamp: i64,
    #[serde(rename = "ErrorCode")]
    error_code: &'a str,
    #[serde(rename = "ErrorMessage")]
    error_message: &'a str,
    attempt_ending_timestamp: i64,
    raw_data: String,
    data_catalog_table: DataCatalogTable<'a>,
}

/// Only what has a meaning on one machine.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DataCatalogTable<'a> {
    database_name: &'a str,
    table_name: &'a str,
    version_id: &'a str,
}

/// Appends a line and its newline.
pub(super) fn write(
    out: &mut Vec<u8>,
    table: &Table,
    error_type: ErrorType,
    message: &str,
    raw: &[u8],
    arrival: Timestamp,
) -> Result<(), serde_json::Error> {
    let line = ErrorLine {
        attempts_made: 1,
        arrival_timestamp: arrival.as_millis(),
        error_code: error_type.code(),
        error_message: message,
        attempt_ending_timestamp: arrival.as_millis(), // tried at once
        raw_data: STANDARD.encode(raw),
        data_catalog_table: DataCatalogTable {
            database_name: "pixlake",
            table_name: table.name,
            version_id: "LATEST",
        },
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.push(b'\n');
    Ok(())
}
