//! A prefix of Firehose, as it becomes a folder.

use std::collections::BTreeMap;

use pixel_row::Timestamp;

/// A prefix of Firehose as it becomes a folder; an error where it says what no folder of ours says.
/// Source: <https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html>
pub(crate) fn render(
    prefix: &str,
    keys: &BTreeMap<&str, &str>,
    error_type: Option<&str>,
    arrival: Timestamp,
) -> Result<String, String> {
    let mut rendered = String::new();
    let mut rest = prefix;
    while let Some((before, after)) = rest.split_once("!{") {
        rendered.push_str(before);
        let (expression, after) = after.split_once('}').ok_or("a `!{` has no end")?;
        rendered.push_str(&match expression.split_once(':') {
            Some(("timestamp", pattern)) => time(pattern, arrival)?,
            Some(("partitionKeyFromQuery", key)) => {
                let value = keys
                    .get(key)
                    .ok_or_else(|| format!("no query gives the key {key}"))?;
                (*value).to_owned()
            }
            Some(("firehose", "error-output-type")) => error_type
                .ok_or("only the prefix of errors knows their type")?
                .to_owned(),
            _ => return Err(format!("`!{{{expression}}}` is not known here")),
        });
        rest = after;
    }
    rendered.push_str(rest);
    Ok(rendered)
}

/// A pattern of Java's `DateTimeFormatter`, as far as a folder of ours needs it. `YYYY` is the year of the
/// week, in which the last days of December may belong to the next.
fn time(pattern: &str, arrival: Timestamp) -> Result<String, String> {
    let text = arrival.to_string();
    let parts = [("yyyy", 0..4), ("MM", 5..7), ("dd", 8..10), ("HH", 11..13)];
    let mut rendered = pattern.to_owned();
    for (letters, range) in parts {
        rendered = rendered.replace(letters, text.get(range).unwrap());
    }
    match rendered.chars().find(char::is_ascii_alphabetic) {
        None => Ok(rendered),
        Some(_) => Err(format!(
            "the time is written `{pattern}`; expected yyyy, MM, dd and HH"
        )),
    }
}

#[test]
fn a_prefix_becomes_the_folder_of_its_arrival() {
    let last = Timestamp::from_millis(1_767_225_599_999).unwrap(); // 2025-12-31T23:59:59.999Z
    let keys = BTreeMap::from([("dt", "2026-11-01")]);
    for (prefix, expected) in [
        (
            "a/dt=!{timestamp:yyyy-MM-dd}/h=!{timestamp:HH}/",
            Ok("a/dt=2025-12-31/h=23/"),
        ),
        ("a/!{partitionKeyFromQuery:dt}/", Ok("a/2026-11-01/")),
        (
            "!{firehose:error-output-type}/!{timestamp:yyyy/MM}/",
            Ok("processing-failed/2025/12/"),
        ),
        // The year of the week would be 2026.
        ("!{timestamp:YYYY-MM-dd}/", Err("expected yyyy, MM, dd and HH")),
        ("!{timestamp:HH:mm}/", Err("expected yyyy, MM, dd and HH")),
        (
            "!{partitionKeyFromQuery:hour}/",
            Err("no query gives the key hour"),
        ),
        ("!{firehose:random-string}/", Err("is not known here")),
        ("!{timestamp:yyyy", Err("has no end")),
    ] {
        let rendered = render(prefix, &keys, Some("processing-failed"), last);
        match expected {
            Ok(folder) => assert_eq!(rendered.as_deref(), Ok(folder)),
            Err(words) => assert!(
                rendered.as_ref().unwrap_err().contains(words),
                "{prefix}: {rendered:?}"
            ),
        }
    }
    assert!(render("!{firehose:error-output-type}/", &keys, None, last).is_err());
}
