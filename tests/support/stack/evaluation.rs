//! One template on its way to resources: what is known so far, and what is still to be found out.
//!
//! A resource is resolved when something asks for it first, so that the order of dependencies comes by itself
//! and a circle shows as a resource that is asked for while it is being resolved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::conditions::Truths;
use super::identity::{Identity, stack_id};
use super::references::references;
use super::scalars::text;
use super::{Resource, Stack, StackError, Templates, parameters};

/// The parts of a resource that hold intrinsic functions; `CloudFormation` takes the others as they stand.
const RESOLVED: [&str; 3] = ["Properties", "Metadata", "UpdatePolicy"];

/// Names that `Ref` knows without a declaration.
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html>
pub(super) const PSEUDO: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// A template under given parameters.
pub(super) struct Evaluation<'a> {
    pub(super) templates: &'a Templates,
    /// The template's name and text.
    pub(super) name: &'a str,
    pub(super) json: &'a Value,
    pub(super) region: &'a str,
    pub(super) stack_name: String,
    /// What stands before a logical id in a path: nothing at the top, else `Lake/`.
    pub(super) prefix: String,
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) truths: Truths,
    /// What the resource that is being resolved waits for, innermost last.
    waits: Vec<BTreeSet<String>>,
    /// The logical ids of those that are being resolved.
    pub(super) open: Vec<String>,
    resolved: BTreeMap<String, Resource>,
    /// The outputs of nested stacks, by logical id.
    pub(super) nested_outputs: BTreeMap<String, BTreeMap<String, Value>>,
}

impl<'a> Evaluation<'a> {
    pub(super) fn of(
        templates: &'a Templates,
        name: &'a str,
        region: &'a str,
        stack_name: &str,
        prefix: &str,
        given: BTreeMap<String, Value>,
    ) -> Result<Evaluation<'a>, StackError> {
        let json = templates
            .get(name)
            .ok_or_else(|| StackError::new(name, "file", format!("there is no {name}.json")))?;
        let declared = json.get("Parameters").and_then(Value::as_object);
        Ok(Evaluation {
            templates,
            name,
            json,
            region,
            stack_name: stack_name.to_owned(),
            prefix: prefix.to_owned(),
            parameters: parameters::values(name, declared.unwrap_or(&Map::new()), given)?,
            truths: Truths::default(),
            waits: Vec::new(),
            open: Vec::new(),
            resolved: BTreeMap::new(),
            nested_outputs: BTreeMap::new(),
        })
    }

    /// Evaluates all there is.
    pub(super) fn run(mut self) -> Result<Stack, StackError> {
        self.check_names()?;
        self.check_rules()?;
        for (name, _) in self.section("Conditions") {
            self.condition(name)?;
        }
        for (logical_id, _) in self.section("Resources") {
            if self.exists(logical_id)? {
                self.resolve_resource(logical_id)?;
            }
        }
        let mut outputs = BTreeMap::new();
        for (name, output) in self.section("Outputs") {
            if let Some(condition) = output.get("Condition").and_then(Value::as_str)
                && !self.condition(condition)?
            {
                continue;
            }
            let mut place = vec!["Outputs".to_owned(), name.clone()];
            let value = output.get("Value").unwrap_or(&Value::Null);
            let value = self.resolve(value, &mut place)?;
            match value.as_ref().and_then(text) {
                Some(text) => outputs.insert(name.clone(), Value::from(text)),
                None => return Err(self.wrong(&place, "an output's value has to be a text")),
            };
        }
        Ok(Stack {
            region: self.region.to_owned(),
            resources: self.resolved,
            outputs,
        })
    }

    /// The entries of a section of the template.
    pub(super) fn section(&self, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        let section = self.json.get(name).and_then(Value::as_object);
        section.into_iter().flatten()
    }

    pub(super) fn wrong(&self, place: &[String], message: impl Into<String>) -> StackError {
        StackError::new(self.name, place.join("."), message)
    }

    /// Every name has to be declared, also in a branch that is not taken.
    fn check_names(&self) -> Result<(), StackError> {
        for section in ["Resources", "Outputs", "Conditions", "Rules"] {
            for (entry, value) in self.section(section) {
                let place = [section.to_owned(), entry.clone()];
                for reference in references(value) {
                    let name = reference.name.as_str();
                    let is_resource = self.json["Resources"].get(name).is_some();
                    let is_known = match reference.attribute {
                        Some(_) => is_resource,
                        None => is_resource || PSEUDO.contains(&name) || self.parameters.contains_key(name),
                    };
                    if !is_known {
                        let message =
                            format!("`{name}` is neither a parameter nor a resource of this template");
                        return Err(self.wrong(&place, message));
                    }
                    if ["Conditions", "Rules"].contains(&section) && is_resource {
                        return Err(
                            self.wrong(&place, format!("only resources and outputs may ask for `{name}`"))
                        );
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the resource's condition holds, if it has one.
    fn exists(&mut self, logical_id: &str) -> Result<bool, StackError> {
        match self.json["Resources"][logical_id].get("Condition") {
            None => Ok(true),
            Some(Value::String(name)) => self.condition(name),
            Some(_) => Err(self.wrong(
                &[logical_id.to_owned(), "Condition".to_owned()],
                "expected the name of a condition",
            )),
        }
    }

    /// Resolves a resource that something needs, with the place of who asks.
    pub(super) fn need(&mut self, logical_id: &str, place: &[String]) -> Result<(), StackError> {
        if !self.exists(logical_id)? {
            let message =
                format!("`{logical_id}` does not exist under these parameters: its condition does not hold");
            return Err(self.wrong(place, message));
        }
        if let Some(waits) = self.waits.last_mut() {
            waits.insert(format!("{}{logical_id}", self.prefix));
        }
        self.resolve_resource(logical_id)
    }

    fn resolve_resource(&mut self, logical_id: &str) -> Result<(), StackError> {
        let path = format!("{}{logical_id}", self.prefix);
        if self.resolved.contains_key(&path) {
            return Ok(());
        }
        let mut place = vec![logical_id.to_owned()];
        if self.open.iter().any(|open| open == logical_id) {
            let message = format!("it waits for itself: {} → {logical_id}", self.open.join(" → "));
            return Err(self.wrong(&place, message));
        }
        self.open.push(logical_id.to_owned());
        self.waits.push(BTreeSet::new());
        let declared = &self.json["Resources"][logical_id];
        self.check_policies(declared, &place)?;
        self.wait_as_declared(declared, &place)?;
        let mut object = declared.clone();
        for part in RESOLVED {
            if let Some(value) = declared.get(part) {
                place.push(part.to_owned());
                let value = self.resolve(value, &mut place)?;
                object[part] = value.unwrap_or_default();
                place.pop();
            }
        }
        if declared["Type"] == "AWS::CloudFormation::Stack" {
            let nested = self.nested(logical_id, &object)?;
            self.resolved.extend(nested.resources);
            self.nested_outputs.insert(logical_id.to_owned(), nested.outputs);
        }
        self.open.pop();
        let waits_for = self.waits.pop().unwrap_or_default();
        self.resolved.insert(path, Resource { object, waits_for });
        Ok(())
    }

    /// A deletion policy with a slip of the pen would be refused, and must not pass for `Retain` here.
    fn check_policies(&self, declared: &Value, place: &[String]) -> Result<(), StackError> {
        for (policy, allowed) in [
            (
                "DeletionPolicy",
                &["Retain", "Delete", "Snapshot", "RetainExceptOnCreate"][..],
            ),
            ("UpdateReplacePolicy", &["Retain", "Delete", "Snapshot"]),
        ] {
            if let Some(value) = declared.get(policy)
                && !value.as_str().is_some_and(|value| allowed.contains(&value))
            {
                return Err(self.wrong(
                    place,
                    format!("its {policy} is {value}; expected Retain or Delete"),
                ));
            }
        }
        Ok(())
    }

    /// `DependsOn`, which may name resources that do not exist this time.
    fn wait_as_declared(&mut self, declared: &Value, place: &[String]) -> Result<(), StackError> {
        let names = match declared.get("DependsOn") {
            None => return Ok(()),
            Some(Value::Array(names)) => names.clone(),
            Some(name) => vec![name.clone()],
        };
        for name in names {
            let name = name.as_str().unwrap_or_default();
            if self.json["Resources"].get(name).is_none() {
                return Err(self.wrong(
                    place,
                    format!("DependsOn names `{name}`, which is not a resource here"),
                ));
            }
            if self.exists(name)? {
                self.need(name, place)?;
            }
        }
        Ok(())
    }

    /// Evaluates a nested stack.
    fn nested(&self, logical_id: &str, object: &Value) -> Result<Stack, StackError> {
        let place = [logical_id.to_owned(), "Properties".to_owned()];
        let url = object["Properties"]["TemplateURL"].as_str().unwrap_or_default();
        let stem = url.rsplit('/').next().and_then(|file| file.strip_suffix(".yaml"));
        let Some((template, _)) = self.templates.iter().find(|(name, _)| Some(*name) == stem) else {
            let message =
                format!("TemplateURL is `{url}`; expected infra/NAME.yaml with a NAME.json beside this file");
            return Err(self.wrong(&place, message));
        };
        let given = match object["Properties"].get("Parameters") {
            None => BTreeMap::new(),
            Some(Value::Object(given)) => given.clone().into_iter().collect(),
            Some(_) => return Err(self.wrong(&place, "Parameters has to be an object")),
        };
        let stack_name = format!("{}-{logical_id}", self.stack_name);
        let prefix = format!("{}{logical_id}/", self.prefix);
        Evaluation::of(self.templates, template, self.region, &stack_name, &prefix, given)?.run()
    }

    /// Who a resource is, once it is resolved.
    pub(super) fn identity<'b>(&'b self, logical_id: &'b str) -> Option<Identity<'b>> {
        let resource = self.resolved.get(&format!("{}{logical_id}", self.prefix))?;
        Some(Identity {
            region: self.region,
            stack: &self.stack_name,
            logical_id,
            object: &resource.object,
        })
    }

    pub(super) fn stack_id(&self) -> String {
        stack_id(self.region, &self.stack_name)
    }
}
