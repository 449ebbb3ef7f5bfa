//! What the page told us through the pixel's query string: one event, or several in the parameter `b`.

use bumpalo::Bump;
use pixel_row::{JsonBuffer, Row};

use crate::decoding::Decoder;
use crate::error::LineError;
use crate::event_object::{Members, objects};
use crate::log_text::LogText;
use crate::pairs::Pairs;
use crate::parameters::{self, BATCH, PROPERTY_PREFIX, Taken};
use crate::properties::Properties;

/// The most parameters that one query, or one object of a batch, is read for; more are counted as dropped.
pub const MAX_PARAMS: usize = 256;
/// The most events that one hit may carry in the parameter `b`.
pub const MAX_BATCH: usize = 100;

/// What an event holds beside its columns, while its parameters are read.
#[derive(Clone)]
pub(crate) struct Event<'a> {
    properties: Properties<'a>,
    /// Parameters that were not taken over.
    dropped: i32,
    /// The parameter `b`, where it is a list.
    batch: Option<&'a str>,
}

impl<'a> Event<'a> {
    fn new(arena: &'a Bump) -> Event<'a> {
        Event {
            properties: Properties::new(arena),
            dropped: 0,
            batch: None,
        }
    }

    /// Reads a query string whose log layer is undone already (RFC 3986 characters, form-encoded values).
    /// A parameter that stands twice counts once, the first time.
    pub(crate) fn read(
        query: LogText<'a>,
        decoder: &Decoder<'a>,
        scratch: &mut JsonBuffer,
        row: &mut Row<'a>,
    ) -> Event<'a> {
        let mut event = Event::new(decoder.arena);
        for (index, pair) in Pairs::of(query).enumerate() {
            if index >= MAX_PARAMS {
                event.drop_one();
                continue;
            }
            let name = decoder.form_text(pair.name.text, pair.name.first_escape);
            let value = decoder.form_text(pair.value.text, pair.value.first_escape);
            if name == BATCH && event.batch.is_none() && is_list(value) {
                event.batch = Some(value);
            } else {
                event.take(name, value, scratch, row);
            }
        }
        event
    }

    /// The objects of the parameter `b`, if the query had one. The column number is where the query stands in
    /// the line.
    pub(crate) fn batch(
        &self,
        arena: &'a Bump,
        column: usize,
    ) -> Result<Option<bumpalo::collections::Vec<'a, Members<'a>>>, LineError> {
        let Some(batch) = self.batch else {
            return Ok(None);
        };
        let objects = objects(batch, arena).ok_or(LineError::BatchJson { column })?;
        if objects.is_empty() || objects.len() > MAX_BATCH {
            return Err(LineError::BatchSize {
                found: objects.len(),
                limit: MAX_BATCH,
            });
        }
        Ok(Some(objects))
    }

    /// Reads one event of a batch into a row that has no parameter yet: its own parameters first, then those
    /// of the query.
    pub(crate) fn read_object(
        object: &Members<'a>,
        query: &Event<'a>,
        query_row: &Row<'a>,
        scratch: &mut JsonBuffer,
        row: &mut Row<'a>,
    ) -> Event<'a> {
        let mut event = Event::new(query.properties.arena());
        for (index, (name, value)) in object.iter().enumerate() {
            // A batch within a batch is not read: that parameter is dropped.
            if index >= MAX_PARAMS || *name == BATCH {
                event.drop_one();
            } else {
                event.take(name, value, scratch, row);
            }
        }
        parameters::inherit(row, query_row);
        let dropped = event.properties.inherit(&query.properties);
        event.dropped = event
            .dropped
            .saturating_add(dropped)
            .saturating_add(query.dropped);
        for column in &query_row.parse_warnings {
            warn(row, column);
        }
        event
    }

    /// Writes what is not a single parameter's: custom properties, the count of dropped parameters, defaults,
    /// and the times that follow from the page's clock.
    pub(crate) fn finish(self, row: &mut Row<'a>) {
        row.event_props = self.properties.json();
        row.params_dropped = Some(self.dropped).filter(|&dropped| dropped > 0);
        row.event_name = row.event_name.or(Some("page_view"));
        let (Some(server), Some(sent)) = (row.ts_server, row.ts_client_sent) else {
            return;
        };
        row.clock_skew_ms = Some(sent.as_millis() - server.as_millis());
        if let Some(happened) = row.ts_client {
            // Only the difference of two readings of one clock is trusted, and only if it is sane.
            let held_back = (sent.as_millis() - happened.as_millis()).clamp(0, HELD_BACK_MS);
            row.ts_event = Some(server.plus_millis(-held_back));
        }
    }

    /// Takes one parameter, or counts it as dropped.
    #[inline]
    fn take(&mut self, name: &'a str, value: &'a str, scratch: &mut JsonBuffer, row: &mut Row<'a>) {
        if value.is_empty() {
            return; // says nothing, as an absent one
        }
        match parameters::take(row, name, value, self.properties.arena()) {
            Taken::Stored => {}
            Taken::Unreadable(column) => warn(row, column),
            Taken::Twice => self.drop_one(),
            Taken::Unknown => match name.strip_prefix(PROPERTY_PREFIX) {
                Some(name) if self.properties.add(name, value, scratch) => {}
                _ => self.drop_one(),
            },
        }
    }

    fn drop_one(&mut self) {
        self.dropped = self.dropped.saturating_add(1);
    }
}

/// The longest time that a page may claim to have held an event back: a day.
const HELD_BACK_MS: i64 = 86_400_000;

/// Whether a value of `b` is meant as a list of events. Other trackers have a `b` of their own, such as the `b=0` of
/// `GoatCounter`: no list is one of those, and a broken one is events that would be lost.
fn is_list(value: &str) -> bool {
    value.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('[')
}

/// Notes a column whose value could not be read, once.
fn warn(row: &mut Row<'_>, column: &'static str) {
    if !row.parse_warnings.contains(&column) {
        row.parse_warnings.push(column);
    }
}
