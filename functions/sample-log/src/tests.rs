//! The sample agrees with what `CloudFront` wrote, and with its own promises.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use pixel_log::fields::FIELD_COUNT;
use pixel_log::{Field, FieldSet};
use serde_json::Value;

use super::log_line::{CUT_BYTES, is_escaped_in_logs, push_line, push_logged};
use super::{LineKind, Sample, SampleError, SampleOptions};

/// Lines that `CloudFront` itself wrote.
const CAPTURED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/captured-lines.json");
/// The sample that is shipped.
const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/sample.log");
/// What it is made from: `pixlake sample --lines 2500 --seed 1 --start 2026-11-01T00:00:00Z --rate 0.1`.
const SHIPPED_OPTIONS: SampleOptions = SampleOptions {
    lines: 2_500,
    seed: 1,
    start_ms: 1_793_491_200_000,
    rate: 0.1,
};

/// A line with what was meant by it.
struct Generated {
    text: String,
    kind: LineKind,
    events: u64,
    is_repeated: bool,
}

fn generate(options: SampleOptions) -> Vec<Generated> {
    generated(Sample::new(options).unwrap())
}

fn generated(mut sample: Sample) -> Vec<Generated> {
    let mut out = Vec::new();
    let mut lines = Vec::new();
    while sample.write_line(&mut out) {
        assert_eq!(out.pop(), Some(b'\n'));
        assert!(!out.contains(&b'\n'), "one line is one line");
        lines.push(Generated {
            // Only what was never a line of the log has other bytes than ASCII.
            text: String::from_utf8_lossy(&out).into_owned(),
            kind: sample.last_kind(),
            events: sample.last_events(),
            is_repeated: sample.last_is_repeated(),
        });
        out.clear();
    }
    lines
}

fn bytes(options: SampleOptions) -> Vec<u8> {
    let mut sample = Sample::new(options).unwrap();
    let mut out = Vec::new();
    while sample.write_line(&mut out) {}
    out
}

/// Enough lines for shares and for what is rare; made once, because tests are built without optimisation.
fn many() -> &'static [Generated] {
    static LINES: LazyLock<Vec<Generated>> = LazyLock::new(|| {
        generate(SampleOptions {
            lines: 20_000,
            seed: 7,
            rate: 50.0,
            ..SHIPPED_OPTIONS
        })
    });
    &LINES
}

/// Those of one kind.
fn of_kind(kind: LineKind) -> impl Iterator<Item = &'static Generated> {
    many().iter().filter(move |line| line.kind == kind)
}

/// A line as a table from field to value.
type Fields<'a> = BTreeMap<Field, &'a str>;

fn fields(line: &str) -> Fields<'_> {
    assert_eq!(line.split('\t').count(), FIELD_COUNT, "{line}");
    Field::ALL.iter().copied().zip(line.split('\t')).collect()
}

/// What holds for a field of every line, captured or ours. `-` is looked at apart.
struct Rule {
    field: Field,
    may_be_missing: bool,
    holds: fn(&str) -> bool,
}

macro_rules! rules {
    ($($field:ident $placeholder:tt $holds:expr;)*) => {
        const RULES: &[Rule] = &[$(Rule {
            field: Field::$field,
            may_be_missing: rules!(@ $placeholder),
            holds: $holds,
        },)*];
    };
    (@ ?) => { true };
    (@ !) => { false };
}

// `?` may be `-`, `!` may not.
rules! {
    Timestamp ! |v| seconds(v) && v.len() == 14;
    CIp ! |v| v.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_string() == v);
    SIp ! |v| v.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_string() == v);
    TimeToFirstByte ! seconds;
    ScStatus ! |v| digits(v) && v.len() == 3;
    ScBytes ! digits;
    CsMethod ! |v| v.bytes().all(|b| b.is_ascii_uppercase());
    CsProtocol ! |v| ["http", "https"].contains(&v);
    CsHost ! host;
    CsUriStem ! |v| v.starts_with('/') && encoded(v);
    CsBytes ! digits;
    XEdgeLocation ! |v| shape(v).trim_end_matches('0').ends_with("-A") && v.len() >= 7 && shape(v).starts_with("AAA0");
    XEdgeRequestId ! |v| v.len() == 56 && v.ends_with("==") && v.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b));
    XHostHeader ! |v| host(v) && v.starts_with('d') && v.ends_with(".cloudfront.net");
    TimeTaken ! seconds;
    CsProtocolVersion ! |v| ["HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/3.0"].contains(&v);
    CIpVersion ! |v| ["IPv4", "IPv6"].contains(&v);
    CsUserAgent ? encoded;
    CsReferer ? encoded;
    CsCookie ? cut;
    CsUriQuery ? encoded;
    XEdgeResponseResultType ! |v| ["Hit", "RefreshHit", "Miss", "Error", "Redirect"].contains(&v);
    XForwardedFor ? encoded;
    SslProtocol ? |v| v.starts_with("TLSv1.");
    SslCipher ? |v| v.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    XEdgeResultType ! |v| ["Hit", "RefreshHit", "Miss", "Error", "Redirect"].contains(&v);
    FleEncryptedFields ? |_| false;
    FleStatus ? |_| false;
    ScContentType ? |v| encoded(v) && v.split('/').count() == 2;
    ScContentLen ? digits;
    ScRangeStart ? |_| false;
    ScRangeEnd ? |_| false;
    CPort ! |v| v.parse::<u16>().is_ok_and(|port| port > 0);
    XEdgeDetailedResultType ! |v| v.bytes().all(|b| b.is_ascii_alphabetic());
    CCountry ! |v| shape(v) == "AA";
    CsAcceptEncoding ? encoded;
    CsAccept ? encoded;
    CacheBehaviorPathPattern ! |v| v == "*" || v.starts_with('/');
    CsHeaders ! header_list;
    CsHeaderNames ! |v| header_list(v) && !v.contains(':');
    CsHeadersCount ! digits;
    PrimaryDistributionId ? |_| false;
    PrimaryDistributionDnsName ? |_| false;
    OriginFbl ? seconds;
    OriginLbl ? seconds;
    Asn ! digits;
    CmcdEncodedBitrate ? |_| false;
    CmcdBufferLength ? |_| false;
    CmcdBufferStarvation ? |_| false;
    CmcdContentId ? |_| false;
    CmcdObjectDuration ? |_| false;
    CmcdDeadline ? |_| false;
    CmcdMeasuredThroughput ? |_| false;
    CmcdNextObjectRequest ? |_| false;
    CmcdNextRangeRequest ? |_| false;
    CmcdObjectType ? |_| false;
    CmcdPlaybackRate ? |_| false;
    CmcdRequestedMaximumThroughput ? |_| false;
    CmcdStreamingFormat ? |_| false;
    CmcdSessionId ? |_| false;
    CmcdStreamType ? |_| false;
    CmcdStartup ? |_| false;
    CmcdTopBitrate ? |_| false;
    CmcdVersion ? |_| false;
    RHost ? host;
    SrReason ? |_| false;
    XEdgeMqcs ? |_| false;
    DistributionTenantId ? |_| false;
    ConnectionId ? |_| false;
    ViewerRequestLogData ? |_| false;
    ViewerResponseLogData ? |_| false;
}

fn digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whole seconds without a needless zero, and 3 decimals.
fn seconds(value: &str) -> bool {
    value.split_once('.').is_some_and(|(whole, decimals)| {
        digits(whole) && (whole == "0" || !whole.starts_with('0')) && digits(decimals) && decimals.len() == 3
    })
}

fn host(value: &str) -> bool {
    value.contains('.')
        && value
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b))
}

/// Nothing stands unencoded that the log encodes, and every `%` has its two upper-case digits.
fn encoded(value: &str) -> bool {
    let mut parts = value.split('%');
    let plain = |part: &str| !part.bytes().any(is_escaped_in_logs);
    !value.is_empty()
        && parts.next().is_some_and(plain)
        && parts.all(|part| {
            let (digits, rest) = part.split_at_checked(2).unwrap_or(("", part));
            let escape = u8::from_str_radix(digits, 16);
            escape.is_ok_and(is_escaped_in_logs) && digits == digits.to_ascii_uppercase() && plain(rest)
        })
}

/// As [`encoded`], at most 800 bytes; where it was cut, an escape may be incomplete.
fn cut(value: &str) -> bool {
    match value.len() {
        0..CUT_BYTES => encoded(value),
        CUT_BYTES => (0..3).any(|rest| {
            let (kept, rest) = value.split_at(CUT_BYTES - rest);
            encoded(kept) && (rest.is_empty() || rest.starts_with('%'))
        }),
        _ => false,
    }
}

/// Entries that each end in an encoded newline, at most 800 bytes of them before they were encoded; or the first
/// 800 encoded bytes of such a list.
fn header_list(value: &str) -> bool {
    let is_whole = encoded(value) && value.ends_with("%0A") && decoded(value.as_bytes()).len() <= CUT_BYTES;
    is_whole || (value.len() == CUT_BYTES && cut(value))
}

/// A value with every digit as `0` and every letter as `A` or `a`; the rest stays.
fn shape(value: &str) -> String {
    let of = |c: char| match c {
        '0'..='9' => '0',
        'A'..='Z' => 'A',
        'a'..='z' => 'a',
        other => other,
    };
    value.chars().map(of).collect()
}

/// Checks what holds for a line as a whole, as far as its fields were configured.
fn check_line(values: &Fields<'_>) {
    let value = |field| values.get(&field).copied();
    for (field, value) in values {
        let rule = RULES.iter().find(|rule| rule.field == *field).unwrap();
        match *value {
            "-" => assert!(rule.may_be_missing, "{field} is `-`"),
            value => assert!((rule.holds)(value), "{field}: {value}"),
        }
    }
    // The query stands in the line twice.
    let (stem, query) = (
        value(Field::CsUriStem).unwrap(),
        value(Field::CsUriQuery).unwrap(),
    );
    assert_eq!(stem.split_once('?').map_or("-", |(_, query)| query), query);
    if let (Some(headers), Some(names), Some(count)) = (
        value(Field::CsHeaders),
        value(Field::CsHeaderNames),
        value(Field::CsHeadersCount),
    ) {
        check_headers(headers, names, count.parse().unwrap());
        // What has a field of its own is the same in both places.
        for (name, own) in [
            ("host", Field::CsHost),
            ("user-agent", Field::CsUserAgent),
            ("referer", Field::CsReferer),
            ("accept", Field::CsAccept),
            ("accept-encoding", Field::CsAcceptEncoding),
        ] {
            let listed = whole_entries(headers)
                .filter_map(|header| header.split_once(':'))
                .find(|(listed, _)| listed.eq_ignore_ascii_case(name));
            if listed.is_some() || HeaderCut::of(headers, names, count.parse().unwrap()) == HeaderCut::None {
                assert_eq!(
                    listed.map_or("-", |(_, value)| value),
                    value(own).unwrap(),
                    "{name}"
                );
            }
        }
    }
    if let (Some(address), Some(version)) = (value(Field::CIp), value(Field::CIpVersion)) {
        assert_eq!(version, if address.contains(':') { "IPv6" } else { "IPv4" });
    }
    if let (Some(protocol), Some(tls), Some(cipher)) = (
        value(Field::CsProtocol),
        value(Field::SslProtocol),
        value(Field::SslCipher),
    ) {
        assert_eq!(protocol == "http", tls == "-");
        assert_eq!(protocol == "http", cipher == "-");
    }
    if let (Some(first), Some(last)) = (value(Field::TimeToFirstByte), value(Field::TimeTaken)) {
        assert!(first.parse::<f64>().unwrap() <= last.parse::<f64>().unwrap());
    }
}

/// The entries of a list that have their end, without it.
fn whole_entries(list: &str) -> impl Iterator<Item = &str> {
    list.split_inclusive("%0A")
        .filter_map(|entry| entry.strip_suffix("%0A"))
}

/// Whether a list of headers has an entry of that name.
fn names_header(list: &str, name: &str) -> bool {
    whole_entries(list).any(|entry| {
        entry
            .split(':')
            .next()
            .is_some_and(|found| found.eq_ignore_ascii_case(name))
    })
}

/// What `cs-headers` lost. `cookie` is not a loss: it is never there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum HeaderCut {
    None,
    /// All after some whole header.
    Between,
    /// A part of a header, and all after it.
    Within,
}

impl HeaderCut {
    fn of(headers: &str, names: &str, count: usize) -> HeaderCut {
        let cookies = usize::from(names_header(names, "cookie"));
        if !headers.ends_with("%0A") {
            HeaderCut::Within
        } else if whole_entries(headers).count() + cookies < count {
            HeaderCut::Between
        } else {
            HeaderCut::None
        }
    }
}

/// The lists agree with each other and with the count; `cookie` is only among the names.
fn check_headers(headers: &str, names: &str, count: usize) {
    let names_are_cut = whole_entries(names).count() < count;
    assert!(whole_entries(names).count() <= count, "{names}");
    assert!(names_are_cut || names.ends_with("%0A"), "{names}");
    let mut listed = whole_entries(names).filter(|name| !name.eq_ignore_ascii_case("cookie"));
    for header in whole_entries(headers) {
        match listed.next() {
            Some(name) if header.starts_with(&format!("{name}:")) => {}
            other => assert!(names_are_cut, "{header} for {other:?}"),
        }
    }
    if HeaderCut::of(headers, names, count) == HeaderCut::None && !names_are_cut {
        assert_eq!(listed.next(), None, "a name without its header");
    }
}

/// The captured lines, field by field.
fn captured() -> Vec<(Vec<Field>, String)> {
    let json: Value = serde_json::from_slice(&std::fs::read(CAPTURED).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let line = |entry: &Value| {
        let fields = entry["fields"].as_array().unwrap().iter();
        let fields = fields
            .map(|name| Field::from_name(&text(name)).unwrap())
            .collect();
        (fields, text(&entry["line"]).trim_end_matches('\n').to_owned())
    };
    json.as_array().unwrap().iter().map(line).collect()
}

#[test]
fn every_field_has_one_rule() {
    let ruled: Vec<Field> = RULES.iter().map(|rule| rule.field).collect();
    assert_eq!(ruled, Field::ALL);
}

#[test]
fn the_rules_hold_for_the_captured_lines() {
    let captured = captured();
    assert!(captured.len() >= 6);
    for (fields, line) in &captured {
        assert_eq!(fields.len(), line.split('\t').count());
        check_line(&fields.iter().copied().zip(line.split('\t')).collect());
    }
}

#[test]
fn the_captured_lines_are_written_as_they_stand() {
    for (configured, line) in captured() {
        let mut values = line.split('\t');
        let mut out = Vec::new();
        push_line(&mut out, &configured, |field, out| {
            let value = values.next().unwrap();
            if value == "-" {
                return; // the log's word for nothing
            }
            let start = out.len();
            push_logged(out, &decoded(value.as_bytes()));
            assert_eq!(String::from_utf8_lossy(&out[start..]), value, "{field}");
        });
        assert_eq!(String::from_utf8(out).unwrap(), line);
    }
}

#[test]
fn the_rules_hold_for_good_lines() {
    for line in of_kind(LineKind::Good) {
        check_line(&fields(&line.text));
    }
}

#[test]
fn odd_lines_are_odd_in_what_clients_send_and_not_in_how_it_is_logged() {
    let mut checked = 0;
    for line in of_kind(LineKind::Odd) {
        let mut values = fields(&line.text);
        if values[&Field::XEdgeRequestId] == "-" {
            values.remove(&Field::XEdgeRequestId);
        }
        check_line(&values);
        assert!(values[&Field::CsUriStem].starts_with("/p.gif"));
        checked += 1;
    }
    assert!(checked > 100);
}

#[test]
fn lists_of_headers_are_cut_in_both_ways_and_lose_refusals() {
    let mut cuts = BTreeMap::new();
    let mut lost = BTreeMap::new();
    let mut kept_in_a_cut_list = 0;
    for line in of_kind(LineKind::Good).filter(|line| !line.is_repeated) {
        let values = fields(&line.text);
        let (headers, names) = (values[&Field::CsHeaders], values[&Field::CsHeaderNames]);
        let count = values[&Field::CsHeadersCount].parse().unwrap();
        // Names are those of the whole list, however much of it is left.
        assert_eq!(whole_entries(names).count(), count, "{names}");
        assert!(decoded(headers.as_bytes()).len() <= CUT_BYTES, "{headers}");
        let cut = HeaderCut::of(headers, names, count);
        *cuts.entry(cut).or_insert(0) += 1;
        for refusal in ["sec-gpc", "dnt"] {
            match (names_header(names, refusal), names_header(headers, refusal)) {
                (true, false) => *lost.entry((refusal, cut)).or_insert(0) += 1,
                (true, true) => kept_in_a_cut_list += u32::from(cut != HeaderCut::None),
                (false, listed) => assert!(!listed),
            }
        }
        if cut == HeaderCut::Between {
            check_that_more_would_not_fit(&values);
        }
    }
    // Below 2.5 % of all lines, so that numbers of visitors stay sensible.
    assert!(
        (200..500).contains(&(cuts[&HeaderCut::Between] + cuts[&HeaderCut::Within])),
        "{cuts:?}"
    );
    assert!(cuts[&HeaderCut::Between] > cuts[&HeaderCut::Within], "{cuts:?}");
    assert!(cuts[&HeaderCut::Within] > 20, "{cuts:?}");
    let ways: Vec<(&str, HeaderCut)> = lost.keys().copied().collect();
    assert_eq!(
        ways,
        [
            ("dnt", HeaderCut::Between),
            ("dnt", HeaderCut::Within),
            ("sec-gpc", HeaderCut::Between),
            ("sec-gpc", HeaderCut::Within),
        ],
        "{lost:?}"
    );
    assert!(kept_in_a_cut_list > 0);
}

/// The first header that is lost, where it has a field of its own, is longer than what was left.
fn check_that_more_would_not_fit(values: &Fields<'_>) {
    let kept = whole_entries(values[&Field::CsHeaders]).count();
    let lost = whole_entries(values[&Field::CsHeaderNames])
        .filter(|name| !name.eq_ignore_ascii_case("cookie"))
        .nth(kept)
        .unwrap();
    let own = match lost.to_ascii_lowercase().as_str() {
        "accept" => Field::CsAccept,
        "accept-encoding" => Field::CsAcceptEncoding,
        "referer" => Field::CsReferer,
        "user-agent" => Field::CsUserAgent,
        _ => return,
    };
    let length = |value: &str| decoded(value.as_bytes()).len();
    let with_it = length(values[&Field::CsHeaders]) + lost.len() + 1 + length(values[&own]) + 1;
    assert!(with_it > CUT_BYTES, "{lost} would have fitted: {with_it} bytes");
}

#[test]
fn captured_values_have_shapes_that_the_sample_has_too() {
    // Runs of digits may differ in length where a number has no fixed width.
    let exact: &[Field] = &[
        Field::Timestamp,
        Field::TimeToFirstByte,
        Field::ScStatus,
        Field::CsMethod,
        Field::CsProtocol,
        Field::XEdgeLocation,
        Field::TimeTaken,
        Field::CsProtocolVersion,
        Field::CIpVersion,
        Field::CsCookie,
        Field::XEdgeResultType,
        Field::XEdgeResponseResultType,
        Field::XForwardedFor,
        Field::SslProtocol,
        Field::SslCipher,
        Field::FleEncryptedFields,
        Field::FleStatus,
        Field::ScRangeStart,
        Field::ScRangeEnd,
        Field::CPort,
        Field::XEdgeDetailedResultType,
        Field::CCountry,
        Field::CsAcceptEncoding,
    ];
    let ours: BTreeSet<(Field, String)> = of_kind(LineKind::Good)
        .flat_map(|line| {
            fields(&line.text)
                .into_iter()
                .map(|(field, value)| (field, shape(value)))
                .collect::<Vec<_>>()
        })
        .collect();
    let mut compared = 0;
    for (fields, line) in captured() {
        for (field, value) in fields.into_iter().zip(line.split('\t')) {
            if exact.contains(&field) {
                assert!(
                    ours.contains(&(field, shape(value))),
                    "{field}: the sample has nothing like {value}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 40);
}

#[test]
fn the_same_options_give_the_same_bytes_and_another_seed_others() {
    let options = SampleOptions {
        lines: 3_000,
        ..SHIPPED_OPTIONS
    };
    assert_eq!(bytes(options), bytes(options));
    assert_ne!(bytes(options), bytes(SampleOptions { seed: 2, ..options }));
    // A longer sample begins with the shorter one.
    assert!(bytes(options).starts_with(&bytes(SHIPPED_OPTIONS)));
}

#[test]
fn the_shipped_sample_is_the_one_that_the_code_writes() {
    let shipped = std::fs::read(SHIPPED).unwrap();
    let expected = bytes(SHIPPED_OPTIONS);
    let differ = shipped
        .split(|byte| *byte == b'\n')
        .zip(expected.split(|byte| *byte == b'\n'));
    let line = differ
        .enumerate()
        .find(|(_, (shipped, expected))| shipped != expected);
    assert_eq!(
        line.map(|(index, _)| index + 1),
        None,
        "events/sample.log differs in this line; write it anew"
    );
    assert_eq!(shipped.len(), expected.len());
}

#[test]
fn a_sample_has_as_many_lines_as_asked_for_and_begins_when_asked_to() {
    for lines in [0, 1, 2, 999] {
        assert_eq!(
            generate(SampleOptions {
                lines,
                ..SHIPPED_OPTIONS
            })
            .len(),
            usize::try_from(lines).unwrap()
        );
    }
    let first = &generate(SampleOptions {
        lines: 1,
        ..SHIPPED_OPTIONS
    })[0];
    assert!(first.text.starts_with("1793491200.000\t"));
    assert_eq!(first.kind, LineKind::Good);
}

#[test]
fn each_kind_has_its_share() {
    let lines = many();
    let per_mille = |count: usize| count * 1000 / lines.len();
    let count = |kind| lines.iter().filter(|line| line.kind == kind).count();
    let repeated = lines.iter().filter(|line| line.is_repeated).count();
    assert!((16..25).contains(&per_mille(count(LineKind::Broken))));
    assert!((7..15).contains(&per_mille(count(LineKind::Odd))));
    assert!((7..14).contains(&per_mille(repeated)));
    let mut newest = 0.0_f64;
    let mut late = 0;
    for line in lines
        .iter()
        .filter(|line| line.kind == LineKind::Good && !line.is_repeated)
    {
        let time: f64 = fields(&line.text)[&Field::Timestamp].parse().unwrap();
        late += usize::from((3_600.0..8.0 * 3_600.0 + 2_000.0).contains(&(newest - time)));
        newest = newest.max(time);
    }
    assert!((7..14).contains(&per_mille(late)));
}

#[test]
fn a_repeated_line_came_before() {
    let mut seen = BTreeSet::new();
    for line in many() {
        let is_new = seen.insert(&line.text);
        if line.kind != LineKind::Broken {
            assert_eq!(is_new, !line.is_repeated, "{}", line.text);
        }
    }
}

/// A log of fewer fields is the same log: each line that is whole has the same values, and means the same.
#[test]
fn a_sample_may_have_some_fields_only() {
    let options = SampleOptions {
        lines: 2_000,
        ..SHIPPED_OPTIONS
    };
    let set = FieldSet::read();
    let some = generated(Sample::new(options).unwrap().with_fields(set.clone()));
    let all = generate(options);
    assert_eq!(some.len(), all.len());
    for (some, all) in some.iter().zip(&all) {
        assert_eq!((some.kind, some.events), (all.kind, all.events));
        if all.kind == LineKind::Broken {
            assert_ne!(some.text.split('\t').count(), FIELD_COUNT);
            continue;
        }
        let values = fields(&all.text);
        let expected: Vec<&str> = set.fields().iter().map(|field| values[field]).collect();
        assert_eq!(some.text, expected.join("\t"));
    }
}

/// Some faults take columns away; a line of few has none to spare.
#[test]
fn a_sample_may_have_a_single_field() {
    for fields in ["timestamp", "timestamp,c-ip", "cs-uri-stem,timestamp,asn"] {
        let options = SampleOptions {
            lines: 5_000,
            ..SHIPPED_OPTIONS
        };
        let set = FieldSet::parse(fields).unwrap();
        let lines = generated(Sample::new(options).unwrap().with_fields(set));
        assert_eq!(lines.len(), generate(options).len(), "{fields}");
    }
}

#[test]
fn a_broken_line_has_one_of_the_faults_and_no_other_line_has() {
    let mut faults = BTreeMap::new();
    for line in many() {
        let fault = fault(&line.text);
        assert_eq!(fault.is_some(), line.kind == LineKind::Broken, "{}", line.text);
        assert_eq!(fault.is_some(), line.events == 0);
        if let Some(fault) = fault {
            *faults.entry(fault).or_insert(0) += 1;
        }
    }
    assert!(
        faults.len() == 3 && faults.values().all(|count| *count > 50),
        "{faults:?}"
    );
}

/// Why a line can be no event, found out without the code that breaks lines.
fn fault(line: &str) -> Option<&'static str> {
    if line.split('\t').count() != FIELD_COUNT {
        return Some("columns");
    }
    let values = fields(line);
    let time = values[&Field::Timestamp];
    if !seconds(time) || !(1_262_304_000.0..4_102_444_800.0).contains(&time.parse::<f64>().unwrap()) {
        return Some("time");
    }
    let batch = values[&Field::CsUriQuery]
        .split('&')
        .find_map(|pair| pair.strip_prefix("b="))?;
    let batch = decoded(&decoded(batch.as_bytes()));
    match serde_json::from_slice(&batch) {
        Ok(Value::Array(events)) if events.iter().all(Value::is_object) && !events.is_empty() => None,
        _ => Some("batch"),
    }
}

/// One percent-decoding.
fn decoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        let escape = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                out.push(byte);
                rest = &tail[2..];
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

#[test]
fn events_are_counted_as_the_query_has_them() {
    let mut batches = 0;
    for line in of_kind(LineKind::Good) {
        let values = fields(&line.text);
        let batch = values[&Field::CsUriQuery]
            .split('&')
            .find_map(|pair| pair.strip_prefix("b="));
        let events = batch.map_or(1, |batch| {
            batches += 1;
            let events: Vec<Value> = serde_json::from_slice(&decoded(&decoded(batch.as_bytes()))).unwrap();
            events.len().try_into().unwrap()
        });
        assert_eq!(line.events, events);
    }
    assert!(batches > 50);
}

#[test]
fn visitors_come_back() {
    let mut lines_of = BTreeMap::new();
    for line in of_kind(LineKind::Good).filter(|line| !line.is_repeated) {
        let values = fields(&line.text);
        *lines_of
            .entry([values[&Field::CIp], values[&Field::CsUserAgent]].join(" "))
            .or_insert(0_u32) += 1;
    }
    let returning = lines_of.values().filter(|count| **count > 1).count();
    assert!(returning * 2 > lines_of.len());
}

#[test]
fn the_traffic_has_what_it_is_said_to_have() {
    let lines: Vec<&Generated> = of_kind(LineKind::Good).collect();
    for part in [
        "\t000\t",
        "\t301\t",
        "\t304\t",
        "\t403\t",
        "\t404\t",
        "\tHEAD\t",
        "\thttp\t",
        "\tHTTP/1.1\t",
        "\tHTTP/3.0\t",
        "/robots.txt\t",
        "/favicon.ico\t",
        "/tag.js\t",
        "\t/p.gif\t",
        "/p.gif?s=blog\t",
        "\t2001:db8:",
        "\tMiss\t",
        "RefreshHit",
        "GoogleImageProxy",
        "YahooMailProxy",
        "GPTBot",
        "sec-gpc:1%0A",
        "dnt:1%0A",
        "sec-ch-ua:",
        "sec-fetch-mode:no-cors",
        "e=page_view",
        "e=scroll",
        "e=click",
        "e=purchase",
        "e=add_to_cart",
        "e=email_open",
        "e=ad_impression",
        "e=ad_click",
        "e=ad_conversion",
        "&oid=SO-",
        "&cur=JPY",
        "&cur=EUR",
        "&b=%255B%257B%2522e",
        "utm_source%253D",
        "gclid%253D",
        "fbclid%253D",
        "&r=https%253A%252F%252Fsearch.example",
        "ad.model=cpc",
        "xn--bcher-kva.example",
        "u=https%253A%252F%252Fb%25C3%25BCcher.example",
        "%25F0%259F%258E%2589",
        "%25D9%2582%25D9%2587",
        "Stra%25C3%259Fe",
        "tz=Asia%252FTokyo",
        ",%20198.51.100.77\t",
        "screen_view",
    ] {
        assert!(
            lines.iter().any(|line| line.text.contains(part)),
            "no line has {part}"
        );
    }
    for field in [Field::CsCookie, Field::CsHeaders] {
        assert!(
            lines
                .iter()
                .any(|line| fields(&line.text)[&field].len() == CUT_BYTES),
            "no {field} is cut"
        );
    }
    // The reference figure of the project is a line of about 750 bytes.
    let mut lengths: Vec<usize> = lines.iter().map(|line| line.text.len() + 1).collect();
    lengths.sort_unstable();
    let mean = lengths.iter().sum::<usize>() / lengths.len();
    assert!(
        (700..850).contains(&lengths[lengths.len() / 2]),
        "median {}",
        lengths[lengths.len() / 2]
    );
    assert!((750..1_050).contains(&mean), "mean {mean}");
}

#[test]
fn names_and_addresses_are_those_for_documentation() {
    for line in of_kind(LineKind::Good) {
        let values = fields(&line.text);
        for address in [values[&Field::CIp], values[&Field::SIp]] {
            let reserved = ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"];
            assert!(
                reserved.iter().any(|network| address.starts_with(network)),
                "{address}"
            );
        }
        let host = values[&Field::CsHost];
        assert!(
            [".example", ".test", "example.com"]
                .iter()
                .any(|end| host.ends_with(end)),
            "{host}"
        );
    }
}

#[test]
fn impossible_options_say_why() {
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, 1e-300] {
        let error = Sample::new(SampleOptions {
            rate,
            ..SHIPPED_OPTIONS
        })
        .unwrap_err();
        assert!(matches!(error, SampleError::Rate { .. }), "{rate}: {error:?}");
        assert!(error.to_string().contains("expected a number above 0"), "{error}");
    }
    for start_ms in [i64::MIN, -1, 0, 1_262_304_000_000, 4_102_444_800_000, i64::MAX] {
        let error = Sample::new(SampleOptions {
            start_ms,
            ..SHIPPED_OPTIONS
        })
        .unwrap_err();
        assert_eq!(
            error,
            SampleError::Time {
                time_ms: start_ms.into()
            }
        );
    }
    // The first line would do, the last would not.
    let error = Sample::new(SampleOptions {
        lines: u64::MAX,
        ..SHIPPED_OPTIONS
    })
    .unwrap_err();
    assert!(matches!(error, SampleError::Time { .. }));
    assert!(
        Sample::new(SampleOptions {
            rate: 1e300,
            ..SHIPPED_OPTIONS
        })
        .is_ok()
    );
}
