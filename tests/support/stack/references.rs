//! What a template names: every `Ref`, `Fn::GetAtt` and `${…}` of `Fn::Sub`, whichever branch it stands in.

use serde_json::Value;

use super::scalars::{Piece, pieces, single};

/// A name in a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// A parameter, a resource or a pseudo parameter.
    pub name: String,
    /// The attribute, where one is asked for.
    pub attribute: Option<String>,
}

impl Reference {
    /// Of a name that may carry an attribute behind a point.
    pub(super) fn parse(text: &str) -> Reference {
        let (name, attribute) = match text.split_once('.') {
            Some((name, attribute)) => (name, Some(attribute.to_owned())),
            None => (text, None),
        };
        Reference {
            name: name.to_owned(),
            attribute,
        }
    }
}

/// All names in a piece of a template.
pub fn references(value: &Value) -> Vec<Reference> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<Reference>) {
    match (single(value), value) {
        (Some(("Ref", Value::String(name))), _) => found.push(Reference {
            name: name.clone(),
            attribute: None,
        }),
        (Some(("Fn::GetAtt", target)), _) => found.extend(get_att(target)),
        (Some(("Fn::Sub", Value::String(text))), _) => substitutes(text, &[], found),
        (Some(("Fn::Sub", Value::Array(parts))), _) => {
            let [Value::String(text), Value::Object(variables)] = parts.as_slice() else {
                return;
            };
            variables.values().for_each(|value| collect(value, found));
            substitutes(text, &variables.keys().collect::<Vec<_>>(), found);
        }
        (_, Value::Array(items)) => items.iter().for_each(|item| collect(item, found)),
        (_, Value::Object(object)) => object.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// The target of `Fn::GetAtt`, in either of its forms.
pub(super) fn get_att(target: &Value) -> Option<Reference> {
    match target {
        Value::String(text) => Some(Reference::parse(text)).filter(|target| target.attribute.is_some()),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(name), Value::String(attribute)] => Some(Reference {
                name: name.clone(),
                attribute: Some(attribute.clone()),
            }),
            _ => None,
        },
        _ => None,
    }
}

fn substitutes(text: &str, own: &[&String], found: &mut Vec<Reference>) {
    for piece in pieces(text).unwrap_or_default() {
        if let Piece::Name(name) = piece
            && !own.iter().any(|own| *own == name)
        {
            found.push(Reference::parse(name));
        }
    }
}
