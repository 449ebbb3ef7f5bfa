//! A place in a JSON text, as Trino's JSON functions name it.
//!
//! `$` is the whole; `.name`, `["name"]` and `[7]` lead on, and nothing else is a path.
//! Source: <https://trino.io/docs/476/functions/json.html#json-extract>

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

/// Where to look.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct JsonPath(Vec<Step>);

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

impl JsonPath {
    /// The path that a text names, if it is one.
    pub(super) fn parse(text: &str) -> Option<JsonPath> {
        let mut rest = text.trim().strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = if let Some(name) = rest.strip_prefix('.') {
                let end = name.find(['.', '[']).unwrap_or(name.len());
                let (name, after) = name.split_at_checked(end)?;
                (
                    Step::Member(Some(name).filter(|name| !name.is_empty())?.to_owned()),
                    after,
                )
            } else if let Some(quoted) = rest.strip_prefix("[\"") {
                let (name, after) = quoted.split_once("\"]")?;
                (Step::Member(name.to_owned()), after)
            } else {
                let (number, after) = rest.strip_prefix('[')?.split_once(']')?;
                (Step::Element(number.parse().ok()?), after)
            };
            steps.push(step);
            rest = after;
        }
        Some(JsonPath(steps))
    }

    /// What stands there, as it stands; none where there is nothing, or the text is not JSON.
    pub(super) fn find<'a>(&self, json: &'a str) -> Option<&'a str> {
        let whole: &RawValue = serde_json::from_str(json).ok()?;
        let mut place = whole.get();
        for step in &self.0 {
            place = match step {
                Step::Member(name) => {
                    let members: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(place).ok()?;
                    members.get(name.as_str())?.get()
                }
                Step::Element(index) => {
                    let elements: Vec<&RawValue> = serde_json::from_str(place).ok()?;
                    elements.get(*index)?.get()
                }
            };
        }
        Some(place)
    }

    /// The text, the number or the truth value that stands there, without quotes; none for anything else.
    pub(super) fn find_scalar(&self, json: &str) -> Option<String> {
        let found = self.find(json)?;
        match found.as_bytes().first()? {
            b'"' => serde_json::from_str(found).ok(),
            b'{' | b'[' | b'n' => None,
            _ => Some(found.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_at_a_place_is_found() {
        let json = r#" {"a":{"b c":[1.50,"x\"é",null,true,[]]},"":0,"d.e":"f"} "#;
        for (path, found, scalar) in [
            ("$.a.b c[0]", Some("1.50"), Some("1.50")),
            (r#"$["a"]["b c"][1]"#, Some(r#""x\"é""#), Some("x\"é")),
            ("$.a.b c[2]", Some("null"), None),
            ("$.a.b c[3]", Some("true"), Some("true")),
            ("$.a.b c[4]", Some("[]"), None),
            ("$.a.b c[5]", None, None),
            (r#"$["d.e"]"#, Some(r#""f""#), Some("f")),
            (r#"$[""]"#, Some("0"), Some("0")),
            ("$.d.e", None, None),
            ("$[0]", None, None),
            ("$.a[0]", None, None),
        ] {
            let path = JsonPath::parse(path).unwrap();
            assert_eq!(path.find(json), found, "{path:?}");
            assert_eq!(path.find_scalar(json).as_deref(), scalar, "{path:?}");
        }
        let whole = JsonPath::parse("$").unwrap();
        assert_eq!(whole.find_scalar("7").as_deref(), Some("7"));
        assert_eq!(whole.find("no json"), None);
    }

    #[test]
    fn what_is_no_path_is_none() {
        for text in [
            "", "a", "$.", "$a", "$..a", "$[", "$[x]", "$[-1]", "$[\"a]", "$.a[",
        ] {
            assert_eq!(JsonPath::parse(text), None, "{text}");
        }
    }
}
