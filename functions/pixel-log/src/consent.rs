//! Whether a visitor may be counted.

use pixel_row::table::Boolean;

use crate::headers::RequestHeaders;

/// What the browser said of being followed, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Consent {
    /// `Sec-GPC`: Global Privacy Control. Source: <https://w3c.github.io/gpc/>
    pub(crate) gpc: Boolean,
    /// `DNT`: Do Not Track. Source: <https://www.w3.org/TR/tracking-dnt/>
    pub(crate) dnt: Boolean,
    /// Whether the visitor may be counted.
    pub(crate) counted: bool,
}

/// A visitor is counted unless the browser refuses, or its refusal may have been lost: privacy comes before
/// numbers.
pub(crate) fn consent(headers: &RequestHeaders<'_>) -> Consent {
    let (gpc, dnt) = (headers.gpc.is_on, headers.dnt.is_on);
    let refused = gpc == Some(true) || dnt == Some(true);
    Consent {
        gpc,
        dnt,
        counted: !refused && !headers.lost.refusal,
    }
}

#[cfg(test)]
mod tests {
    use bumpalo::Bump;

    use super::*;
    use crate::decoding::Decoder;
    use crate::headers::LostHeaders;
    use crate::{FieldSet, LogLine};

    /// Headers, names and count as the log holds them; `GPC`, `DNT`; whether some are lost; whether counted.
    #[rustfmt::skip] // one case, one line
    const CASES: &[(&str, &str, &str, Boolean, Boolean, bool, bool)] = &[
        // Nothing refused.
        ("host:a%0A", "host%0A", "1", None, None, false, true),
        ("dnt:0%0Asec-gpc:0%0A", "dnt%0Asec-gpc%0A", "2", Some(false), Some(false), false, true),
        ("dnt:yes%0A", "dnt%0A", "1", None, None, false, true),
        ("dnt:%0A", "dnt%0A", "1", None, None, false, true),
        // Refused, in any case of letters, with white space, which the log encodes.
        ("sec-gpc:1%0A", "sec-gpc%0A", "1", Some(true), None, false, false),
        ("dnt:1%0A", "dnt%0A", "1", None, Some(true), false, false),
        ("Sec-GPC:1%0Adnt:0%0A", "Sec-GPC%0Adnt%0A", "2", Some(true), Some(false), false, false),
        ("DNT:%201%09%0A", "DNT%0A", "1", None, Some(true), false, false),
        ("DNT: 1%0A", "DNT%0A", "1", None, Some(true), false, false),
        // One refusal counts, wherever it stands, also where two headers were joined.
        ("dnt:1%0Adnt:0%0A", "dnt%0Adnt%0A", "2", None, Some(true), false, false),
        ("dnt:0%0Adnt:1%0A", "dnt%0Adnt%0A", "2", None, Some(true), false, false),
        ("sec-gpc:0,%201%0A", "sec-gpc%0A", "1", Some(true), None, false, false),
        ("sec-gpc:10%0A", "sec-gpc%0A", "1", None, None, false, true),
        // A value cannot forge a header: the viewer sent `x-a: 1%0Asec-gpc:1`; the log encodes its `%`.
        ("x-a:1%250Asec-gpc:1%0A", "x-a%0A", "1", None, None, false, true),
        // None of the fields beside the list: nothing is known to be lost.
        ("-", "-", "-", None, None, false, true),
        ("host:a%0A", "-", "-", None, None, false, true),
        ("host:a%0A", "host%0A", "-", None, None, false, true),
        // Cut between two headers: the names are whole and name no refusal.
        ("host:a%0A", "host%0Acookie%0A", "2", None, None, true, true),
        ("-", "host%0A", "1", None, None, true, true),
        // The lost header is the refusal; whatever it said, it is not counted.
        ("host:a%0A", "host%0Asec-gpc%0A", "2", None, None, true, false),
        ("host:a%0A", "host%0ADNT%0A", "2", None, None, true, false),
        ("-", "host%0Adnt%0A", "2", None, None, true, false),
        ("dnt:0%0A", "dnt%0Asec-gpc%0A", "2", None, Some(false), true, false),
        // It stands in the list, so a lost header is another one.
        ("dnt:0%0A", "dnt%0Acookie%0A", "2", None, Some(false), true, true),
        ("dnt:yes%0A", "dnt%0Acookie%0A", "2", None, None, true, true),
        // The names are cut too, are not there, or no count says that they are whole: a refusal cannot be
        // ruled out.
        ("host:a%0A", "host%0Aaccept%0Ase", "9", None, None, true, false),
        ("host:a%0A", "host%0Aaccept%0A", "3", None, None, true, false),
        ("host:a%0A", "host%0Acookie%0A", "-", None, None, true, false),
        ("host:a%0A", "host%0Asec-g", "-", None, None, true, false),
        ("host:a%0A", "-", "2", None, None, true, false),
        ("-", "-", "9", None, None, true, false),
        // Cut within a header.
        ("host:a%0Acook", "host%0Acookie%0A", "2", None, None, true, true),
        ("host:a%0Adnt:", "host%0Adnt%0A", "2", None, None, true, false),
        ("host:a%0Acook", "host%0A", "1", None, None, true, true), // whatever the count says
        ("host:a%0Acook", "-", "-", None, None, true, false),
        ("sec-gpc:1%0Aab%0", "sec-gpc%0Aab%0A", "2", Some(true), None, true, false),
        // A count that is not a number is as good as none.
        ("host:a%0A", "host%0A", "x", None, None, false, true),
    ];

    #[test]
    fn every_case_has_its_consent() {
        let fields = FieldSet::parse("timestamp,cs-headers,cs-header-names,cs-headers-count").unwrap();
        for case in CASES {
            let &(headers, names, count, gpc, dnt, any_lost, counted) = case;
            let arena = Bump::new();
            let line = format!("1.000\t{headers}\t{names}\t{count}");
            let line = LogLine::parse(line.as_bytes(), &fields).ok().unwrap();
            let headers = RequestHeaders::read(&line, &Decoder::new(&arena));
            assert_eq!(consent(&headers), Consent { gpc, dnt, counted }, "{case:?}");
            assert_eq!(headers.lost.any, any_lost, "{case:?}");
        }
    }

    #[test]
    fn lines_without_a_list_lose_nothing() {
        let fields = FieldSet::parse("timestamp,cs-headers-count").unwrap();
        let arena = Bump::new();
        let line = LogLine::parse(b"1.000\t7", &fields).ok().unwrap();
        let headers = RequestHeaders::read(&line, &Decoder::new(&arena));
        assert_eq!(headers.lost, LostHeaders::default());
    }
}
