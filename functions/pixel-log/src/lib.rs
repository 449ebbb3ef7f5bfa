//! One CloudFront real-time log line in, table rows out.
//!
//! This crate is pure: it knows the log's fields, how they are encoded, what a pixel's query may say, and
//! the columns of the table. It never reads a clock, a file, a network or an environment.
//!
//! ```
//! use pixel_log::{Delivery, FieldSet, RowConfig, Timestamp, read_line};
//!
//! let config = RowConfig {
//!     fields: FieldSet::parse("timestamp,sc-status,cs-method,cs-uri-stem,cs-referer")?,
//!     ..RowConfig::default()
//! };
//! let now = Timestamp::from_millis(1_668_968_600_000).unwrap();
//! let delivery = Delivery { ingested: now, path: "realtime", version: "0.1.0" };
//! let line = b"1668968526.477\t200\tGET\t/p.gif?e=click&p.button=Buy%2520now\thttps://shop.example/cart\n";
//!
//! let mut json = Vec::new();
//! let rows = read_line(line, &config, now, delivery, &mut |_| None, |row| row.write_json(&mut json))?;
//!
//! assert_eq!(rows, 1);
//! let json = String::from_utf8(json)?;
//! assert!(json.contains(r#""ts_server":"2022-11-20T18:22:06.477Z""#));
//! assert!(json.contains(r#""event_name":"click","event_props":"{\"button\":\"Buy now\"}""#));
//! assert!(json.contains(r#""page_host":"shop.example""#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The way of a line through the modules: [`line`](mod@line) splits it into [`fields`], [`decoding`] undoes the log's
//! encoding, [`pixel_event`] reads the query, [`web_url`] and [`headers`] take addresses and headers apart,
//! [`request`] puts the [`row`]s together. What can never become a row is a [`LineError`], and outside this
//! crate a row of [`failed_event`].

pub mod client_ip;
pub mod column;
pub mod decoding;
mod edge_columns;
pub mod error;
mod event_object;
pub mod failed_event;
pub mod fields;
pub mod headers;
mod json;
pub mod keys;
pub mod line;
mod param_value;
pub mod pixel_event;
pub mod request;
pub mod row;
pub mod timestamp;
pub mod visitor;
pub mod web_url;

pub use column::{Column, ColumnType, Privacy};
pub use error::LineError;
pub use failed_event::FailedEvent;
pub use fields::{Field, FieldSet, FieldSetError};
pub use line::{LogLine, without_line_end};
pub use request::{Delivery, RowConfig, read_line};
pub use row::Row;
pub use timestamp::{Day, Timestamp};
pub use visitor::DaySalt;
