//! The intrinsic functions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::StackError;
use super::evaluation::{Evaluation, PSEUDO};
use super::identity::ACCOUNT;
use super::references::{Reference, get_att};
use super::scalars::{Piece, pieces, single, text};

/// What a value comes to; none is `AWS::NoValue`, which removes the property or the item that holds it.
type Resolved = Result<Option<Value>, StackError>;

impl<'a> Evaluation<'a> {
    /// Resolves a piece of the template.
    pub(super) fn resolve(&mut self, value: &'a Value, place: &mut Vec<String>) -> Resolved {
        match (single(value), value) {
            (Some(("Ref", name)), _) => self.reference(name, place),
            (Some((name, argument)), _) if name.starts_with("Fn::") => self.call(name, argument, place),
            (_, Value::Object(object)) => self.object(object, place),
            (_, Value::Array(items)) => self.array(items, place).map(|items| Some(items.into())),
            _ => Ok(Some(value.clone())),
        }
    }

    fn object(&mut self, object: &'a Map<String, Value>, place: &mut Vec<String>) -> Resolved {
        let mut resolved = Map::new();
        for (key, value) in object {
            if key.starts_with("Fn::") || key == "Ref" {
                return Err(self.wrong(place, format!("{key} stands beside other keys")));
            }
            place.push(key.clone());
            if let Some(value) = self.resolve(value, place)? {
                resolved.insert(key.clone(), value);
            }
            place.pop();
        }
        Ok(Some(resolved.into()))
    }

    fn array(&mut self, items: &'a [Value], place: &mut Vec<String>) -> Result<Vec<Value>, StackError> {
        let mut resolved = Vec::new();
        for (index, item) in items.iter().enumerate() {
            place.push(index.to_string());
            resolved.extend(self.resolve(item, place)?);
            place.pop();
        }
        Ok(resolved)
    }

    fn reference(&mut self, name: &Value, place: &[String]) -> Resolved {
        let Value::String(name) = name else {
            return Err(self.wrong(place, "Ref takes a name"));
        };
        if PSEUDO.contains(&name.as_str()) {
            return Ok(self.pseudo(name));
        }
        if let Some(value) = self.parameters.get(name) {
            return Ok(Some(value.clone()));
        }
        self.need(name, place)?;
        match self.identity(name).and_then(|identity| identity.reference()) {
            Some(text) => Ok(Some(text.into())),
            None => Err(self.wrong(
                place,
                format!("what Ref gives for `{name}` is not known here: its type is new"),
            )),
        }
    }

    fn pseudo(&self, name: &str) -> Option<Value> {
        Some(match name {
            "AWS::AccountId" => ACCOUNT.into(),
            "AWS::NotificationARNs" => Value::Array(Vec::new()),
            "AWS::Partition" => "aws".into(),
            "AWS::Region" => self.region.into(),
            "AWS::StackId" => self.stack_id().into(),
            "AWS::StackName" => self.stack_name.as_str().into(),
            "AWS::URLSuffix" => "amazonaws.com".into(),
            _ => return None,
        })
    }

    fn attribute(&mut self, target: &Reference, place: &[String]) -> Result<Value, StackError> {
        let attribute = target.attribute.as_deref().unwrap_or_default();
        self.need(&target.name, place)?;
        let found = match self.nested_outputs.get(&target.name) {
            Some(outputs) => {
                let output = attribute.strip_prefix("Outputs.");
                output.and_then(|output| outputs.get(output).cloned())
            }
            None => self
                .identity(&target.name)
                .and_then(|identity| identity.attribute(attribute))
                .map(Value::from),
        };
        found.ok_or_else(|| self.wrong(place, format!("`{}` has no attribute `{attribute}`", target.name)))
    }

    fn call(&mut self, name: &str, argument: &'a Value, place: &mut Vec<String>) -> Resolved {
        match (name, argument.as_array().map(Vec::as_slice)) {
            ("Fn::GetAtt", _) => match get_att(argument) {
                Some(target) => self.attribute(&target, place).map(Some),
                None => Err(self.wrong(place, "Fn::GetAtt takes a resource and an attribute")),
            },
            ("Fn::Sub", _) => self.substitute(argument, place),
            ("Fn::If", Some([Value::String(condition), yes, no])) => {
                let branch = if self.condition(condition)? { yes } else { no };
                self.resolve(branch, place)
            }
            ("Fn::Join", Some([Value::String(separator), list])) => {
                let items = self.list(list, name, place)?;
                let texts: Option<Vec<String>> = items.iter().map(text).collect();
                let texts = texts.ok_or_else(|| self.wrong(place, "Fn::Join takes a list of texts"))?;
                Ok(Some(texts.join(separator).into()))
            }
            ("Fn::Split", Some([Value::String(separator), whole])) => {
                let whole = self.text(whole, name, place)?;
                Ok(Some(whole.split(separator.as_str()).collect::<Vec<_>>().into()))
            }
            ("Fn::Select", Some([index, list])) => {
                let index = self.text(index, name, place)?;
                let items = self.list(list, name, place)?;
                let item = index
                    .parse()
                    .ok()
                    .and_then(|index: usize| items.get(index).cloned());
                let message = || format!("Fn::Select asks for item {index} of {}", items.len());
                item.map(Some).ok_or_else(|| self.wrong(place, message()))
            }
            ("Fn::FindInMap", Some([map, first, second])) => {
                let keys = [
                    self.text(map, name, place)?,
                    self.text(first, name, place)?,
                    self.text(second, name, place)?,
                ];
                let found = keys
                    .iter()
                    .try_fold(&self.json["Mappings"], |map, key| map.get(key));
                found
                    .map(|value| Some(value.clone()))
                    .ok_or_else(|| self.wrong(place, format!("the mapping has no {}", keys.join("."))))
            }
            ("Fn::Base64", _) => {
                let text = self.text(argument, name, place)?;
                Ok(Some(STANDARD.encode(text).into()))
            }
            ("Fn::ImportValue", _) => {
                Err(self.wrong(place, "Fn::ImportValue: there is no other stack to import from"))
            }
            _ => Err(self.wrong(
                place,
                format!("{name} is not known here, or not with this argument"),
            )),
        }
    }

    fn substitute(&mut self, argument: &'a Value, place: &mut Vec<String>) -> Resolved {
        let none = Map::new();
        let (template, variables) = match (argument, argument.as_array().map(Vec::as_slice)) {
            (Value::String(template), _) => (template, None),
            (_, Some([Value::String(template), Value::Object(variables)])) => (template, Some(variables)),
            _ => return Err(self.wrong(place, "Fn::Sub takes a text, and names with their values")),
        };
        let variables = match variables {
            None => none,
            Some(variables) => match self.object(variables, place)? {
                Some(Value::Object(variables)) => variables,
                _ => none,
            },
        };
        let pieces = pieces(template).ok_or_else(|| self.wrong(place, "a `${` of Fn::Sub has no end"))?;
        let mut whole = String::new();
        for piece in pieces {
            let name = match piece {
                Piece::Literal(literal) => {
                    whole.push_str(literal);
                    continue;
                }
                Piece::Name(name) => name,
            };
            let value = match (variables.get(name), Reference::parse(name)) {
                (Some(value), _) => Some(value.clone()),
                (None, target) if target.attribute.is_some() => Some(self.attribute(&target, place)?),
                (None, target) => self.reference(&target.name.into(), place)?,
            };
            match value.as_ref().and_then(text) {
                Some(text) => whole.push_str(&text),
                None => return Err(self.wrong(place, format!("`${{{name}}}` of Fn::Sub is not text"))),
            }
        }
        Ok(Some(whole.into()))
    }

    /// A list, literal or the result of a function.
    fn list(
        &mut self,
        value: &'a Value,
        function: &str,
        place: &mut Vec<String>,
    ) -> Result<Vec<Value>, StackError> {
        match self.resolve(value, place)? {
            Some(Value::Array(items)) => Ok(items),
            _ => Err(self.wrong(place, format!("{function} takes a list here"))),
        }
    }

    /// A text, literal or the result of a function.
    pub(super) fn text(
        &mut self,
        value: &'a Value,
        function: &str,
        place: &mut Vec<String>,
    ) -> Result<String, StackError> {
        let resolved = self.resolve(value, place)?;
        let message = || format!("{function} takes a text here");
        resolved
            .as_ref()
            .and_then(text)
            .ok_or_else(|| self.wrong(place, message()))
    }
}
