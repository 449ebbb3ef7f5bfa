//! The way of one line, stage by stage.

use bumpalo::Bump;
use pixel_row::keys;
use pixel_row::{Day, DeliveryColumns, JsonBuffer, Row, Timestamp};

use crate::consent::consent;
use crate::decoding::Decoder;
use crate::enrichment::Rules;
use crate::error::LineError;
use crate::event::Event;
use crate::fields::FieldSet;
use crate::line::LogLine;
use crate::page;
use crate::parameters;
use crate::request::Request;
use crate::value::REQUEST_EVENT;
use crate::visitor::DaySalt;

/// What, beside the line, decides its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowConfig {
    /// The fields that the lines carry.
    pub fields: FieldSet,
    /// The paths that are pixels. A request for another path becomes a row with the event
    /// [`REQUEST_EVENT`].
    pub pixel_paths: Vec<String>,
}

impl Default for RowConfig {
    /// All fields, and the pixel `/p.gif`.
    fn default() -> RowConfig {
        RowConfig {
            fields: FieldSet::all(),
            pixel_paths: vec!["/p.gif".to_owned()],
        }
    }
}

/// Reads lines into rows. Made once from the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowReader {
    config: RowConfig,
    rules: Rules,
}

/// Memory that a reader uses for one line after the other.
#[derive(Default)]
pub struct RowScratch {
    /// Texts that had to be decoded.
    arena: Bump,
    /// A JSON text under construction.
    json: JsonBuffer,
}

impl RowReader {
    /// A reader of such lines.
    #[must_use]
    pub fn new(config: RowConfig) -> RowReader {
        RowReader {
            config,
            rules: Rules::default(),
        }
    }

    /// What decides the rows.
    #[must_use]
    pub fn config(&self) -> &RowConfig {
        &self.config
    }

    /// Reads one line and hands each of its rows to `emit`, in order; says how many there were. On an error
    /// no row was handed over.
    ///
    /// `arrival` is when the line's record arrived on the stream. `salt` gives the secret of a UTC day, or
    /// none where visitors are not to be counted.
    pub fn read(
        &self,
        line: &[u8],
        arrival: Timestamp,
        delivery: DeliveryColumns,
        salt: &mut impl FnMut(Day) -> Option<DaySalt>,
        scratch: &mut RowScratch,
        mut emit: impl FnMut(&Row<'_>),
    ) -> Result<usize, LineError> {
        scratch.arena.reset();
        let decoder = Decoder::new(&scratch.arena);
        let mut row = Row::default();
        delivery.write(&mut row);
        let mut log_line = LogLine::new(&self.config.fields);
        log_line.split(line)?;
        let line = log_line;
        let request = Request::read(&line, arrival, &decoder, &mut row)?;
        let consent = consent(&request.headers);
        (row.gpc, row.dnt) = (consent.gpc, consent.dnt);
        let rest = Rest {
            rules: &self.rules,
            salt: Some(request.time.day())
                .filter(|_| consent.counted)
                .and_then(salt),
            line: &line,
            request: &request,
            decoder: &decoder,
        };
        if !request.is_hit(&line, &self.config.pixel_paths) {
            row.event_name = Some(REQUEST_EVENT);
            page::set_referrer(&mut row, request.referer, decoder.arena);
            rest.finish(&mut row, 0);
            emit(&row);
            return Ok(1);
        }
        let warnings = row.parse_warnings.len();
        let hit = Event::read(request.query, &decoder, &mut scratch.json, &mut row);
        let Some(objects) = hit.batch(decoder.arena, line.place(request.query_field))? else {
            rest.finish_event(&mut row, hit, 0);
            emit(&row);
            return Ok(1);
        };
        // An event of a batch begins with what the request says, and takes from the query what it lacks.
        let query_row = row;
        let mut request_row = query_row.clone();
        parameters::clear(&mut request_row);
        request_row.parse_warnings.truncate(warnings);
        let utf8_ok = decoder.utf8_ok();
        for (index, object) in objects.iter().enumerate() {
            let mut row = request_row.clone();
            decoder.reset_utf8_ok(utf8_ok);
            let event = Event::read_object(object, &hit, &query_row, &mut scratch.json, &mut row);
            rest.finish_event(&mut row, event, index);
            emit(&row);
        }
        Ok(objects.len())
    }
}

/// The stages that follow when the columns of request and parameters are filled.
struct Rest<'r, 'a> {
    rules: &'r Rules,
    /// The day's salt; none where the visitor is not counted.
    salt: Option<DaySalt>,
    line: &'r LogLine<'a>,
    request: &'r Request<'a>,
    decoder: &'r Decoder<'a>,
}

impl<'a> Rest<'_, 'a> {
    fn finish_event(&self, row: &mut Row<'a>, event: Event<'a>, index: usize) {
        event.finish(row);
        page::read(row, self.request.referer, self.decoder);
        self.finish(row, index);
    }

    /// Identity, enrichment, keys and limits. The index is the event's place in its hit.
    fn finish(&self, row: &mut Row<'a>, index: usize) {
        row.visitor_day_id = self.salt.zip(self.request.address).map(|(salt, address)| {
            let (site, agent) = (
                row.site_id.unwrap_or_default(),
                row.user_agent.unwrap_or_default(),
            );
            salt.visitor_id(site, address, agent, self.decoder.arena)
        });
        self.rules.enrich(row);
        row.batch_index = i32::try_from(index).ok();
        row.event_key = Some(keys::event_key(row.request_id, self.line.raw(), index));
        row.utf8_ok = Some(self.decoder.utf8_ok());
        row.cut();
    }
}
