//! Parameters: what is given, what is declared, and whether the one may stand for the other.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::StackError;
use super::scalars::text;

/// The values of all declared parameters.
pub(super) fn values(
    template: &str,
    declared: &Map<String, Value>,
    mut given: BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Value>, StackError> {
    let mut values = BTreeMap::new();
    for (name, declaration) in declared {
        let wrong = |message: String| StackError::new(template, format!("Parameters.{name}"), message);
        let value = given.remove(name).or_else(|| declaration.get("Default").cloned());
        let value = value.ok_or_else(|| wrong("it has no value and no default".to_owned()))?;
        // A list between stacks has to be joined first.
        let value = text(&value).ok_or_else(|| wrong(format!("expected a text, found {value}")))?;
        values.insert(name.clone(), read(declaration, &value).map_err(wrong)?);
    }
    match given.keys().next() {
        None => Ok(values),
        Some(name) => Err(StackError::new(
            template,
            format!("Parameters.{name}"),
            "a value is given, but the template declares no such parameter",
        )),
    }
}

/// Checks a value against its declaration; says what `Ref` gives for it.
fn read(declaration: &Value, value: &str) -> Result<Value, String> {
    match declaration["Type"].as_str() {
        Some("String") => check(declaration, value).map(|()| Value::from(value)),
        Some("Number") => {
            let number: f64 = value
                .parse()
                .map_err(|_| format!("expected a number, found `{value}`"))?;
            let limit = |name| {
                declaration
                    .get(name)
                    .and_then(|limit| text(limit)?.parse::<f64>().ok())
            };
            if limit("MinValue").is_some_and(|least| number < least)
                || limit("MaxValue").is_some_and(|most| number > most)
            {
                return Err(refusal(declaration, value, "lies outside MinValue and MaxValue"));
            }
            check(declaration, value).map(|()| Value::from(value))
        }
        Some("CommaDelimitedList") => {
            let items: Vec<&str> = value.split(',').map(str::trim).collect();
            items.iter().try_for_each(|item| check(declaration, item))?;
            Ok(Value::from(items))
        }
        other => Err(format!(
            "its type is {other:?}; expected String, Number or CommaDelimitedList"
        )),
    }
}

/// Checks one text against what may be said of any.
fn check(declaration: &Value, value: &str) -> Result<(), String> {
    if let Some(allowed) = declaration.get("AllowedValues").and_then(Value::as_array)
        && !allowed
            .iter()
            .any(|allowed| text(allowed).as_deref() == Some(value))
    {
        return Err(refusal(declaration, value, "is none of AllowedValues"));
    }
    if let Some(pattern) = declaration.get("AllowedPattern").and_then(Value::as_str) {
        let whole = Regex::new(&format!("^(?:{pattern})$"))
            .map_err(|error| format!("AllowedPattern cannot be read: {error}"))?;
        if !whole.is_match(value) {
            return Err(refusal(declaration, value, "does not match AllowedPattern"));
        }
    }
    let limit = |name| {
        declaration
            .get(name)
            .and_then(|limit| text(limit)?.parse::<usize>().ok())
    };
    let length = value.chars().count();
    if limit("MinLength").is_some_and(|least| length < least)
        || limit("MaxLength").is_some_and(|most| length > most)
    {
        return Err(refusal(
            declaration,
            value,
            "is shorter than MinLength or longer than MaxLength",
        ));
    }
    Ok(())
}

fn refusal(declaration: &Value, value: &str, why: &str) -> String {
    let sentence = declaration.get("ConstraintDescription").and_then(Value::as_str);
    format!(
        "`{value}` {why}; {}",
        sentence.unwrap_or("it has no ConstraintDescription")
    )
}
