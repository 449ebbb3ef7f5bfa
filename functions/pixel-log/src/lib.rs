//! One CloudFront real-time log line in, table rows out.
//!
//! This crate is pure: it knows the log's fields, how they are encoded, and what a pixel's query may say. It
//! never reads a clock, a file, a network or an environment.
//!
//! ```
//! use pixel_log::{FieldSet, RowConfig, RowReader, RowScratch};
//! use pixel_row::{DeliveryColumns, JsonBuffer, Timestamp};
//!
//! let reader = RowReader::new(RowConfig {
//!     fields: FieldSet::parse("timestamp,sc-status,cs-method,cs-uri-stem,cs-referer")?,
//!     ..RowConfig::default()
//! });
//! let now = Timestamp::from_millis(1_668_968_600_000).unwrap();
//! let delivery = DeliveryColumns { ts_ingested: now, ingest_path: "realtime", pipeline_version: "0.1.0" };
//! let line = b"1668968526.477\t200\tGET\t/p.gif?e=click&p.button=Buy%2520now\thttps://shop.example/cart\n";
//!
//! let (mut scratch, mut json) = (RowScratch::default(), JsonBuffer::default());
//! let rows = reader.read(line, now, delivery, &mut |_| None, &mut scratch, |row| row.write_json(&mut json))?;
//!
//! assert_eq!(rows, 1);
//! let json = std::str::from_utf8(json.bytes())?;
//! assert!(json.contains(r#""ts_server":"2022-11-20T18:22:06.477Z""#));
//! assert!(json.contains(r#""event_name":"click","event_props":"{\"button\":\"Buy now\"}""#));
//! assert!(json.contains(r#""page_host":"shop.example""#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`row_reader`] leads a line through its stages, each a file that knows only those before it:
//!
//! 1. [`line`](mod@line) splits it into [`fields`]; `decoding` undoes the log's encoding where a text is read.
//! 2. `request` reads what the edge logged of the request, with its `headers` and the [`client_ip`].
//! 3. [`event`] reads the query's `pairs` into the columns that [`parameters`] declares, by the rules of `value`;
//!    [`properties`] are the custom ones, `event_object` the events of a batch; `page` takes the addresses of
//!    page and referrer apart (`web_url`). `scrubbing` takes out of their texts what has one of the `shapes` of
//!    personal data.
//! 4. `consent` says whether the visitor may be counted, [`visitor`] makes the id.
//! 5. [`enrichment`] is the place for what follows from rules.
//!
//! What comes out is a row of `pixel_row`; what can never become one is a [`LineError`].

pub mod client_ip;
mod consent;
mod decoding;
pub mod enrichment;
pub mod error;
pub mod event;
mod event_object;
pub mod fields;
mod headers;
pub mod line;
mod log_text;
mod marks;
mod page;
mod pairs;
pub mod parameters;
pub mod properties;
mod request;
pub mod row_reader;
mod scrubbing;
mod shapes;
mod value;
pub mod visitor;
mod web_url;

pub use error::LineError;
pub use fields::{Field, FieldSet, FieldSetError};
pub use line::{LogLine, without_line_end};
pub use row_reader::{RowConfig, RowReader, RowScratch};
pub use scrubbing::SCRUBBED;
pub use value::REQUEST_EVENT;
pub use visitor::{DaySalt, visitor_key};
