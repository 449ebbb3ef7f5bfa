//! Texts, numbers and truth values where `CloudFormation` takes any of them for a text.

use serde_json::Value;

/// The text of a scalar; none of what is not a scalar.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// An object with one key, which is how an intrinsic function is written.
pub(super) fn single(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.iter().next().map(|(name, value)| (name.as_str(), value))
}

/// The pieces of the text of `Fn::Sub`: literal ones, and names in `${…}`.
pub(super) enum Piece<'a> {
    Literal(&'a str),
    Name(&'a str),
}

/// Takes the text of `Fn::Sub` apart; none where a `${` has no end.
pub(super) fn pieces(mut text: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    while let Some((before, after)) = text.split_once("${") {
        let (name, rest) = after.split_once('}')?;
        pieces.push(Piece::Literal(before));
        match name.strip_prefix('!') {
            // `${!dt}` stands for `${dt}`, which is for somebody else.
            Some(foreign) => pieces.extend(["${", foreign, "}"].map(Piece::Literal)),
            None => pieces.push(Piece::Name(name.trim())),
        }
        text = rest;
    }
    pieces.push(Piece::Literal(text));
    Some(pieces)
}
