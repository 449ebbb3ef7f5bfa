//! Ways to change a template.
//!
//! An address is `streams:LogStream/Name`, a property of a resource, or `streams:/Resources/LogStream/Type`,
//! any place of a template. `delivery:EventFirehose/S3` is where a Firehose writes.

use pipeline_tests::stack::Templates;
use serde_json::Value;

/// The value at an address.
pub(crate) fn at<'a>(templates: &'a mut Templates, address: &str) -> &'a mut Value {
    let (template, place) = address.split_once(':').unwrap();
    let place = place.replace("/S3", "/ExtendedS3DestinationConfiguration");
    let pointer = match place.split_once('/') {
        Some(("", _)) => place,
        Some((resource, property)) => format!("/Resources/{resource}/Properties/{property}"),
        None => format!("/Resources/{place}/Properties"),
    };
    let json = templates.get_mut(template);
    json.and_then(|json| json.pointer_mut(&pointer))
        .unwrap_or_else(|| panic!("there is no {address}"))
}

pub(crate) fn set(templates: &mut Templates, address: &str, value: Value) {
    *at(templates, address) = value;
}

/// Adds or replaces a member of an object.
pub(crate) fn put(templates: &mut Templates, address: &str, name: &str, value: Value) {
    at(templates, address)[name] = value;
}

/// Takes a member out of an object, or an item out of a list.
pub(crate) fn remove(templates: &mut Templates, address: &str) {
    let split = address.rsplit_once('/').or_else(|| address.rsplit_once(':'));
    let (around, name) = split.unwrap();
    match at(templates, around) {
        Value::Object(object) => assert!(object.remove(name).is_some(), "there is no {address}"),
        Value::Array(items) => drop(items.remove(name.parse().unwrap())),
        other => panic!("{address} lies in {other}"),
    }
}

/// Replaces a part of every text at an address and below it; there has to be one.
pub(crate) fn replace(templates: &mut Templates, address: &str, old: &str, new: &str) {
    let count = replace_in(at(templates, address), old, new);
    assert!(count > 0, "there is no `{old}` at {address}");
}

fn replace_in(value: &mut Value, old: &str, new: &str) -> usize {
    match value {
        Value::String(text) if text.contains(old) => {
            *text = text.replace(old, new);
            1
        }
        Value::Array(items) => items.iter_mut().map(|item| replace_in(item, old, new)).sum(),
        Value::Object(object) => object.values_mut().map(|value| replace_in(value, old, new)).sum(),
        _ => 0,
    }
}
