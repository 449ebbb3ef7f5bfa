//! The pixel's parameters, declared once: from this list come the reading of a query, the columns that the
//! values land in, what an event of a batch inherits, and the tables of the documentation.

use bumpalo::Bump;
use pixel_row::Row;

use crate::value::{currency, event_name, language, micros, millis, pixels, scrubbed, text, time_zone};

/// The prefix of the custom properties' names.
pub(crate) const PROPERTY_PREFIX: &str = "p.";
/// The name of the parameter that carries several events.
pub(crate) const BATCH: &str = "b";

/// One parameter of the pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the query, and in an object of the parameter `b`.
    pub name: &'static str,
    /// The column that its value lands in.
    pub column: &'static str,
    /// Whether an event of the parameter `b` that lacks it takes it from the query.
    pub inherited: bool,
    /// What it means, in half a sentence.
    pub doc: &'static str,
}

/// What became of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Its value is in its column.
    Stored,
    /// Its value is not of the column's shape.
    Unreadable(&'static str),
    /// The column has a value already: the first one counts.
    Twice,
    /// No column has such a parameter.
    Unknown,
}

macro_rules! parameters {
    (
        columns { $($name:literal => $column:ident by $read:ident, $doc:literal;)* }
        others { $($other:expr => $other_column:literal, $inherited:literal, $other_doc:literal;)* }
    ) => {
        /// The parameters of the pixel.
        pub const PARAMETERS: &[Parameter] = &[
            $(Parameter { name: $name, column: stringify!($column), inherited: true, doc: $doc },)*
            $(Parameter { name: $other, column: $other_column, inherited: $inherited, doc: $other_doc },)*
        ];

        /// Puts a parameter's value into its column.
        #[inline]
        pub(crate) fn take<'a>(row: &mut Row<'a>, name: &str, value: &'a str, arena: &'a Bump) -> Taken {
            match name {
                $($name => if row.$column.is_some() {
                    Taken::Twice
                } else {
                    row.$column = $read(value, arena);
                    match row.$column {
                        Some(_) => Taken::Stored,
                        None => Taken::Unreadable(stringify!($column)),
                    }
                },)*
                _ => Taken::Unknown,
            }
        }

        /// Fills what an event of a batch lacks from the query that carried it.
        pub(crate) fn inherit<'a>(event: &mut Row<'a>, query: &Row<'a>) {
            $(event.$column = event.$column.or(query.$column);)*
        }

        /// Empties the columns of all parameters.
        pub(crate) fn clear(row: &mut Row<'_>) {
            $(row.$column = None;)*
        }
    };
}

parameters! {
    columns {
        "e" => event_name by event_name, "event; `page_view` without it. Not `request`: that is a request for another path";
        "s" => site_id by text, "site; the host of the page without it";
        "u" => page_url by text, "address of the page; the `Referer` header without it";
        "t" => page_title by scrubbed, "title of the page";
        "r" => ref_url by text, "address that the visitor came from";
        "ts" => ts_client by millis, "time of the event by the page's clock, in ms since 1970";
        "st" => ts_client_sent by millis, "time of sending by the page's clock, in ms since 1970";
        "eid" => client_event_id by text, "the page's own id of the event";
        "pv" => page_view_id by text, "the page's own id of the page view";
        "v" => value_micros by micros, "value, a decimal with up to 6 places: `19.90`";
        "cur" => currency by currency, "currency of the value, three letters";
        "oid" => order_id by text, "id of the order";
        "l" => page_lang by language, "language of the page";
        "tz" => tz_name by time_zone, "time zone: `Europe/Zurich`";
        "sw" => screen_w by pixels, "width of the screen";
        "sh" => screen_h by pixels, "height of the screen";
        "vw" => viewport_w by pixels, "width of the viewport";
        "vh" => viewport_h by pixels, "height of the viewport";
        "ad.impression" => ad_impression_id by text, "id of an ad impression";
        "ad.click" => ad_click_id by text, "id of an ad click";
        "ad.conversion" => ad_conversion_id by text, "id of a conversion";
        "ad.campaign" => ad_campaign_id by text, "campaign";
        "ad.line" => ad_line_id by text, "line item";
        "ad.creative" => ad_creative_id by text, "creative";
        "ad.placement" => ad_placement_id by text, "placement";
        "ad.advertiser" => ad_advertiser_id by text, "advertiser";
        "ad.publisher" => ad_publisher_id by text, "publisher";
        "ad.model" => ad_cost_model by text, "what is paid for: `cpm`, `cpc`, `cpa`";
    }
    // Read by the event stage: they are several, or make several rows.
    others {
        "p.NAME" => "event_props", true, "custom property of that name, never scrubbed: up to 32, names of 64 bytes, values of 512, 8 KiB of JSON together; what is more is dropped and counted";
        BATCH => "batch_index", false, "a JSON array of up to 100 objects with these names, for several events in one hit; the query's own parameters hold for each. What begins no array is another tracker's: dropped and counted";
    }
}
