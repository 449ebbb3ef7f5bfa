//! The strict reader beside the lenient one: where the first takes an event, both find the same.
#![expect(clippy::string_slice, reason = "the events here are ASCII")]

use base64_simd::STANDARD;
use pixel_row::Timestamp;
use proptest::prelude::*;

use super::{Envelope, EnvelopeError, EnvelopeRecord, EventWriter, RecordParts, lenient, strict};
use crate::LogRecord;

/// 2026-11-01T00:00:00Z, as `date -u -d 2026-11-01 +%s` gives it.
const NOW_SECONDS: i64 = 1_793_491_200;

fn now() -> Timestamp {
    Timestamp::from_millis(NOW_SECONDS * 1_000).unwrap()
}

/// What is handed out of a record: all of it, to be compared.
#[derive(Debug, PartialEq, Eq)]
struct HandedOut {
    expected: Option<&'static str>,
    source: String,
    shard: String,
    sequence_number: Option<String>,
    arrival: i64,
    data: Vec<u8>,
}

fn hand_out(envelope: &Envelope<'_>) -> Vec<HandedOut> {
    let mut records = envelope.records(now());
    let mut all = Vec::new();
    while let Some((position, record)) = records.next_record() {
        assert_eq!(position, all.len());
        let (record, expected) = match record {
            EnvelopeRecord::Good(record) => (record, None),
            EnvelopeRecord::Broken(record, expected) => (record, Some(expected)),
        };
        assert_eq!(envelope.sequence_number(position), record.sequence_number());
        all.push(HandedOut {
            expected,
            source: record.source.to_owned(),
            shard: record.shard.to_owned(),
            sequence_number: record.sequence_number().map(str::to_owned),
            arrival: record.arrival.as_millis(),
            data: record.data.to_vec(),
        });
    }
    assert_eq!(all.len(), envelope.len());
    all
}

fn by_the_lenient_reader(event: &[u8]) -> Result<Vec<HandedOut>, EnvelopeError> {
    let records = lenient::read(event)?;
    Ok(hand_out(&Envelope { event, records }))
}

/// Holds both ways through an event against each other, and says whether the strict reader took it.
fn is_strict(event: &[u8]) -> bool {
    let expected = by_the_lenient_reader(event);
    assert_eq!(
        Envelope::parse(event).map(|envelope| hand_out(&envelope)),
        expected,
        "{}",
        String::from_utf8_lossy(event)
    );
    let strict: Option<Vec<RecordParts<'_>>> = strict::read(event);
    strict.is_some()
}

/// An event by hand, byte for byte as the documentation shows one, without its white space.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>
fn documented() -> String {
    let first = concat!(
        r#"{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"1","#,
        r#""sequenceNumber":"49590338271490256608559692538361571095921575989136588898","#,
        r#""data":"SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==","approximateArrivalTimestamp":1545084650.987},"#,
        r#""eventSource":"aws:kinesis","eventVersion":"1.0","#,
        r#""eventID":"shardId-000000000006:49590338271490256608559692538361571095921575989136588898","#,
        r#""eventName":"aws:kinesis:record","invokeIdentityArn":"arn:aws:iam::111122223333:role/lambda-role","#,
        r#""awsRegion":"us-east-2","#,
        r#""eventSourceARN":"arn:aws:kinesis:us-east-2:111122223333:stream/lambda-stream"}"#
    );
    let second = first
        .replace("136588898", "136588899")
        .replace("1545084650.987", "1545084711.166");
    format!(r#"{{"Records":[{first},{second}]}}"#)
}

#[test]
fn the_documented_event_is_read_strictly() {
    let event = documented();
    assert!(is_strict(event.as_bytes()));
    let records = hand_out(&Envelope::parse(event.as_bytes()).unwrap());
    let first = &records[0];
    assert_eq!(first.expected, None);
    assert_eq!(
        first.source,
        "arn:aws:kinesis:us-east-2:111122223333:stream/lambda-stream"
    );
    assert_eq!(first.shard, "shardId-000000000006");
    assert_eq!(
        first.sequence_number.as_deref(),
        Some("49590338271490256608559692538361571095921575989136588898")
    );
    assert_eq!(first.arrival, 1_545_084_650_987);
    assert_eq!(first.data, b"Hello, this is a test.");
    assert_eq!(records[1].arrival, 1_545_084_711_166);
}

#[test]
fn a_record_of_an_odd_shape_keeps_every_member_that_it_has() {
    let documented = documented();
    let plain = hand_out(&Envelope::parse(documented.as_bytes()).unwrap());
    for member in [
        r#""sequenceNumber":"#,
        r#""data":"#,
        r#""approximateArrivalTimestamp":"#,
        r#""eventID":"#,
        r#""eventSourceARN":"#,
    ] {
        // A member that stands twice counts the last time.
        let doubled = documented.replacen(member, &format!("{member}null,{member}"), 1);
        let records = by_the_lenient_reader(doubled.as_bytes()).unwrap();
        assert_eq!(records, plain, "{member}");
    }
    let without = documented.replacen(r#""kinesis":"#, r#""kinesis":7,"other":"#, 1);
    let records = by_the_lenient_reader(without.as_bytes()).unwrap();
    assert!(records[0].expected.is_some());
    assert_eq!(
        (&records[0].source, &records[0].shard),
        (&plain[0].source, &plain[0].shard)
    );
    assert_eq!(records[1], plain[1]);
}

#[test]
fn an_event_without_records_is_read_strictly_and_is_empty() {
    assert!(EventWriter::new().is_empty());
    assert!(Envelope::parse(br#"{"Records":[]}"#).unwrap().is_empty());
    assert!(is_strict(br#"{"Records":[]}"#));
}

/// The bytes of the event that may be others: what stands in quotes where no literal is asked for, and the
/// digits of the time of arrival.
fn may_differ(event: &str) -> Vec<bool> {
    let mut may_differ = vec![false; event.len()];
    for member in [
        r#""partitionKey":""#,
        r#""sequenceNumber":""#,
        r#""data":""#,
        r#""approximateArrivalTimestamp":"#,
        r#""eventID":""#,
        r#""invokeIdentityArn":""#,
        r#""awsRegion":""#,
        r#""eventSourceARN":""#,
    ] {
        for (at, _) in event.match_indices(member) {
            let start = at + member.len();
            let len = event[start..].find(['"', '}']).unwrap();
            may_differ[start..start + len].fill(true);
        }
    }
    may_differ
}

#[test]
fn every_byte_of_a_literal_matters() {
    let event = documented();
    let may_differ = may_differ(&event);
    for (at, may_differ) in may_differ.iter().enumerate() {
        let mut other = event.clone().into_bytes();
        other[at] ^= 1; // still printable ASCII
        let is_strict = is_strict(&other);
        assert!(*may_differ || !is_strict, "byte {at} of {event}");
    }
    for at in 0..=event.len() {
        let (before, after) = event.split_at(at);
        for between in [" ", "\n", "\u{e9}", "\\u0041", "\0", "\u{7f}", "\"", "1"] {
            let is_strict = is_strict(format!("{before}{between}{after}").as_bytes());
            let inside =
                may_differ.get(at.saturating_sub(1)) == Some(&true) || may_differ.get(at) == Some(&true);
            assert!(inside || !is_strict, "{between:?} at byte {at} of {event}");
        }
    }
}

#[test]
fn cuts_and_bytes_out_of_place_are_judged_alike() {
    let event = documented().into_bytes();
    for at in 0..event.len() {
        assert!(!is_strict(&event[..at]), "cut at {at}");
        for byte in [
            0, b'"', b'\\', b'{', b'}', b',', b' ', b'0', b'.', 0x7f, 0x80, 0xff,
        ] {
            let mut other = event.clone();
            other[at] = byte;
            is_strict(&other);
        }
        let mut shorter = event.clone();
        shorter.remove(at);
        is_strict(&shorter);
    }
}

#[test]
fn other_shapes_are_left_to_the_lenient_reader() {
    let event = documented();
    // Of 64 bytes, which the strict reader passes over at once where all are plain.
    let escapes = format!(r#""partitionKey":"{}""#, r"\\".repeat(32));
    let beyond_ascii = format!(r#""partitionKey":"{}""#, "\u{e9}".repeat(32));
    let time = r#""approximateArrivalTimestamp":1545084650.987"#;
    for (from, to) in [
        // Members that AWS might add, at any place, or write in another order.
        (
            r#""partitionKey":"1","#,
            r#""partitionKey":"1","encryptionType":"KMS","#,
        ),
        (r#""partitionKey":"1","#, ""),
        (r#""eventName":"aws:kinesis:record","#, ""),
        (
            r#""eventSource":"aws:kinesis","#,
            r#""eventSource":"aws:kinesis","eventSource":"aws:kinesis","#,
        ),
        (
            r#""awsRegion":"us-east-2","#,
            r#""awsRegion":"us-east-2","data":"eA==","#,
        ),
        (
            "]}",
            r#"],"window":{"start":"2020-07-30T17:00:00Z","end":"2020-07-30T17:05:00Z"},"state":{}}"#,
        ),
        ("]}", r#"],"Records":[]}"#),
        // The same member twice: the lenient reader says which of them counts.
        (
            r#""data":"SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==""#,
            r#""data":"eA==","data":"eQ==""#,
        ),
        // Numbers.
        (time, r#""approximateArrivalTimestamp":1545084650.987e0"#),
        (time, r#""approximateArrivalTimestamp":-1545084650.987"#),
        (time, r#""approximateArrivalTimestamp":01545084650.987"#),
        (time, r#""approximateArrivalTimestamp":1545084650."#),
        (time, r#""approximateArrivalTimestamp":.987"#),
        (time, r#""approximateArrivalTimestamp":null"#),
        (time, r#""approximateArrivalTimestamp":"1545084650.987""#),
        // Texts.
        (r#""data":"SGVsb"#, r#""data":"SGVs\u0062"#),
        (r#""data":"SGVsb"#, r#""data":"SGVsb\/"#),
        (r#""data":"SGVsb"#, "\"data\":\"SGVsb\u{e9}"),
        (r#""partitionKey":"1""#, "\"partitionKey\":\"\u{1f36a}\""),
        (r#""partitionKey":"1""#, &escapes),
        (r#""partitionKey":"1""#, &beyond_ascii),
        (r#""partitionKey":"1""#, r#""partitionKey":1"#),
        (r#""partitionKey":"1""#, "\"partitionKey\":\"\t\""),
        (r#""eventID":"shardId-000000000006:"#, r#""eventID":""#),
        (r#""eventID":"shardId-000000000006:"#, r#""eventID":"a:b:"#),
        (
            r#""eventID":"shardId-000000000006:4"#,
            r#""eventID":"shardId-000000000006:5"#,
        ),
        // Records that are none.
        (r#"{"Records":["#, r#"{"Records":[null,"#),
        (r#"{"Records":["#, r#"{"Records":[,"#),
        ("]}", ",]}"),
        ("]}", "]} "),
        ("]}", "]}]"),
    ] {
        assert!(event.contains(from), "{from}");
        assert!(
            !is_strict(event.replacen(from, to, 1).as_bytes()),
            "{from} -> {to}"
        );
    }
}

#[test]
fn what_stands_in_the_quotes_does_not_matter_where_it_is_plain() {
    let event = documented();
    for (from, to) in [
        (r#""partitionKey":"1""#, r#""partitionKey":"""#),
        (
            r#""partitionKey":"1""#,
            r#""partitionKey":"! #$%&'()*+,-./:;<=>?@[]^_`{|}~""#,
        ),
        (r#""data":"SGVsb"#, r#""data":"@@@"#),
        (r#""data":"SGVsb"#, r#""data":" "#),
        ("49590338", "no number: 49590338"),
        ("shardId-000000000006", ""),
        ("1545084650.987", "0"),
        ("1545084650.987", "0.5"),
        ("1545084650.987", "9999999999999999999.9999999999999999999"),
    ] {
        assert!(event.contains(from), "{from}");
        assert!(is_strict(event.replace(from, to).as_bytes()), "{from} -> {to}");
    }
    // A space in the last bytes of an event, too few for a block. Of one record, so that they are looked at.
    let (first, _) = event.split_once("},{").unwrap();
    let one = format!("{first}}}]}}").replace("lambda-stream", "lambda str am");
    assert!(is_strict(one.as_bytes()));
}

#[test]
fn each_record_keeps_the_stream_and_shard_that_it_names() {
    // AWS hands over one shard at a time; the reader does not lean on that.
    let event = documented();
    let records = |event: &str| event[r#"{"Records":["#.len()..event.len() - "]}".len()].to_owned();
    let mixed = [
        records(&event),
        records(&event.replace("lambda-stream", "other")),
        records(&event.replace("000000000006", "000000000007")),
    ];
    let mixed = format!(r#"{{"Records":[{}]}}"#, mixed.join(","));
    assert!(is_strict(mixed.as_bytes()));
    let found: Vec<(bool, bool)> = hand_out(&Envelope::parse(mixed.as_bytes()).unwrap())
        .iter()
        .map(|record| (record.source.ends_with("/other"), record.shard.ends_with('7')))
        .collect();
    let (first, other_stream, other_shard) = ((false, false), (true, false), (false, true));
    assert_eq!(
        found,
        [first, first, other_stream, other_stream, other_shard, other_shard]
    );
}

/// Pieces of JSON and of events, to be put anywhere.
const PIECES: [&str; 18] = [
    " ",
    "\n",
    "\"",
    "\\",
    "\\u0041",
    "\\/",
    "{",
    "}",
    "[",
    "]",
    ",",
    "null",
    "0",
    "1e400",
    "\u{e9}",
    r#""data":"eA==","#,
    r#","eventID":7"#,
    "\u{1f36a}",
];

#[derive(Debug, Clone)]
enum Mutation {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, usize),
    /// Copies a piece of the event to another place.
    Copy(prop::sample::Index, prop::sample::Index, usize),
    Swap(prop::sample::Index, prop::sample::Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 1_u8..).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        at().prop_map(Mutation::Cut),
        (at(), 1_usize..60).prop_map(|(at, len)| Mutation::Remove(at, len)),
        (at(), 0..PIECES.len()).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
        (at(), at(), 1_usize..300).prop_map(|(from, to, len)| Mutation::Copy(from, to, len)),
        (at(), at()).prop_map(|(one, other)| Mutation::Swap(one, other)),
    ]
}

/// Members are moved whole: the event is cut at its commas.
fn swap_members(event: &[u8], one: prop::sample::Index, other: prop::sample::Index) -> Vec<u8> {
    let mut members: Vec<&[u8]> = event.split(|&byte| byte == b',').collect();
    let (one, other) = (one.index(members.len()), other.index(members.len()));
    members.swap(one, other);
    members.join(&b',')
}

fn mutate(event: &mut Vec<u8>, mutation: &Mutation) {
    if event.is_empty() {
        return;
    }
    let len = event.len();
    match mutation {
        Mutation::Flip(at, bits) => event[at.index(len)] ^= bits,
        Mutation::Cut(at) => event.truncate(at.index(len)),
        Mutation::Remove(at, count) => drop(event.drain(at.index(len)..(at.index(len) + count).min(len))),
        Mutation::Insert(at, piece) => {
            let at = at.index(len);
            event.splice(at..at, PIECES[*piece].bytes());
        }
        Mutation::Copy(from, to, count) => {
            let piece = event[from.index(len)..(from.index(len) + count).min(len)].to_vec();
            let to = to.index(len);
            event.splice(to..to, piece);
        }
        Mutation::Swap(one, other) => *event = swap_members(event, *one, *other),
    }
}

/// Data of all kinds: log lines, any bytes, aggregated records, nothing.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let aggregated =
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 2..5).prop_map(|rows| {
            let limits = kpl::Limits {
                max_bytes: 10_000,
                max_user_records: 100,
                max_record_bytes: 10_000,
            };
            let mut aggregator = kpl::Aggregator::new(limits);
            for row in &rows {
                assert_eq!(aggregator.push("key", None, row), kpl::Pushed::Added);
            }
            aggregator.finish().get(0).unwrap().bytes.to_vec()
        });
    prop_oneof![
        "[0-9a-z./?=&\t]{0,200}\n".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..100),
        aggregated,
    ]
}

fn event() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof!["[1-9][0-9]{0,55}", "[0-9]{0,3}", Just("9".repeat(130))];
    let arrival = prop_oneof![
        "1[0-9]{9}(\\.[0-9]{1,9})?",
        "0|[1-9][0-9]{0,30}",
        "0\\.[0-9]{1,3}"
    ];
    let record = (number, data(), arrival, 0_u8..3).prop_map(|(number, data, arrival, shard)| {
        documented()[r#"{"Records":["#.len()..]
            .split_once("},{")
            .map(|(first, _)| format!("{first}}}"))
            .unwrap()
            .replace(
                "49590338271490256608559692538361571095921575989136588898",
                &number,
            )
            .replace(
                "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",
                &STANDARD.encode_to_string(data),
            )
            .replace("1545084650.987", &arrival)
            .replace("000000000006", &format!("00000000000{shard}"))
    });
    prop::collection::vec(record, 0..5)
        .prop_map(|records| format!(r#"{{"Records":[{}]}}"#, records.join(",")).into_bytes())
}

#[test]
fn an_event_is_written_as_aws_writes_it() {
    let event = documented();
    let mut writer = EventWriter::new();
    let envelope = Envelope::parse(event.as_bytes()).unwrap();
    let mut records = envelope.records(now());
    while let Some((_, EnvelopeRecord::Good(record))) = records.next_record() {
        writer.write(&record);
    }
    assert_eq!((writer.len(), writer.is_empty()), (2, false));
    let unknown = [
        r#"1","sequenceNumber"#,
        "arn:aws:iam::111122223333:role/lambda-role",
        r#"us-east-2","eventSourceARN"#,
    ];
    let without = |text: &str, unknown: &str| {
        let kept = unknown.find('"').map_or("", |quote| &unknown[quote..]);
        text.replace(unknown, kept)
    };
    let expected = unknown
        .iter()
        .fold(event.clone(), |text, unknown| without(&text, unknown));
    assert_eq!(String::from_utf8(writer.finish()).unwrap(), expected);
    assert_eq!(EventWriter::default().finish(), br#"{"Records":[]}"#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_written_is_read_back(
        records in prop::collection::vec((".{0,20}", "[^:]{0,20}", "[1-9][0-9]{0,60}", data(), 0_u32..), 0..4),
    ) {
        let mut writer = EventWriter::new();
        let mut expected = Vec::new();
        for (source, shard, number, data, after) in &records {
            let arrival = Timestamp::from_millis(now().as_millis() + i64::from(*after)).unwrap();
            writer.write(&LogRecord { source, shard, sequence_number: number.as_bytes(), arrival, data });
            expected.push(HandedOut {
                expected: None,
                source: source.clone(),
                shard: shard.clone(),
                sequence_number: Some(number.clone()),
                arrival: arrival.as_millis(),
                data: data.clone(),
            });
        }
        let event = writer.finish();
        let plain = records.iter().all(|(source, shard, ..)| {
            (source.clone() + shard).bytes().all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte))
        });
        prop_assert!(is_strict(&event) || !plain);
        prop_assert_eq!(hand_out(&Envelope::parse(&event).unwrap()), expected);
    }

    #[test]
    fn an_event_of_the_shape_is_read_strictly_whatever_it_holds(event in event()) {
        prop_assert!(is_strict(&event));
    }

    #[test]
    fn both_readers_find_the_same_in_any_event(
        event in event(),
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let mut event = event;
        for mutation in &mutations {
            mutate(&mut event, mutation);
        }
        is_strict(&event);
    }
}
