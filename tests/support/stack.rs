//! The stack as `CloudFormation` would see it: templates under given parameters, without an account.
//!
//! What comes in is JSON with the SAM transform done: one file per template, and
//! `TemplateURL: infra/lake.yaml` in a nested stack names `lake.json` beside it. What comes out is every
//! resource that would exist, with all intrinsic functions resolved and with physical names that follow from
//! the logical ones.
//!
//! Whatever `CloudFormation` would refuse is an error that says where: a parameter that breaks its
//! constraint, a rule, a reference to a resource that its condition leaves out, a circle of dependencies.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html>

mod conditions;
mod error;
mod evaluation;
mod functions;
mod identity;
mod parameters;
mod references;
mod scalars;
mod templates;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

pub use error::StackError;
pub use identity::ACCOUNT;
use identity::Identity;
pub use references::{Reference, references};
pub use templates::Templates;

/// The region in which the stack is evaluated.
pub const REGION: &str = "eu-west-1";
/// Its name.
pub const NAME: &str = "pixlake";

/// A stack with its nested stacks, evaluated.
#[derive(Debug, Clone)]
pub struct Stack {
    region: String,
    resources: BTreeMap<String, Resource>,
    outputs: BTreeMap<String, Value>,
}

#[derive(Debug, Clone)]
struct Resource {
    /// The resolved object with `Type`, `Properties`, `DeletionPolicy` and so on.
    object: Value,
    /// What the template itself waits for before it makes this one: siblings, by their paths.
    waits_for: BTreeSet<String>,
}

impl Stack {
    /// Reads the templates of a folder and evaluates `template.json` in [`REGION`].
    pub fn load(folder: &Path, parameters: &[(&str, &str)]) -> Result<Stack, StackError> {
        Templates::read(folder)?.stack(parameters)
    }

    /// The resource of that path: logical ids from the top down, as `Functions/AggregateLogs`.
    pub fn resource(&self, path: &str) -> &Value {
        self.find(path)
            .unwrap_or_else(|| panic!("the stack has no resource {path}"))
    }

    /// The same, where it may be absent.
    pub fn find(&self, path: &str) -> Option<&Value> {
        self.resources.get(path).map(|resource| &resource.object)
    }

    /// What `Ref` gives for the resource of that path.
    pub fn reference(&self, path: &str) -> String {
        let reference = self.identity(path, |identity| identity.reference());
        reference.unwrap_or_else(|| panic!("what Ref gives for {path} is not known"))
    }

    /// What `Fn::GetAtt` gives for the resource of that path.
    pub fn attribute(&self, path: &str, attribute: &str) -> String {
        let value = self.identity(path, |identity| identity.attribute(attribute));
        value.unwrap_or_else(|| panic!("{path} has no attribute {attribute}"))
    }

    fn identity(&self, path: &str, ask: impl Fn(Identity<'_>) -> Option<String>) -> Option<String> {
        let (around, logical_id) = path.rsplit_once('/').unwrap_or(("", path));
        let names = [NAME]
            .into_iter()
            .chain(around.split('/').filter(|name| !name.is_empty()));
        ask(Identity {
            region: &self.region,
            stack: &names.collect::<Vec<_>>().join("-"),
            logical_id,
            object: self.resource(path),
        })
    }

    /// Every resource that exists, nested stacks included, by its path.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.resources
            .iter()
            .map(|(path, resource)| (path.as_str(), &resource.object))
    }

    /// The resources of a type, by their paths.
    pub fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.resources()
            .filter(move |(_, resource)| resource["Type"] == kind)
    }

    /// The outputs of the top.
    pub fn outputs(&self) -> &BTreeMap<String, Value> {
        &self.outputs
    }

    /// Whether the resource `later` is made only when `earlier` stands, whatever lies between them.
    pub fn depends_on(&self, later: &str, earlier: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut ahead = self.waits_of(later);
        while let Some(path) = ahead.pop() {
            if path == earlier {
                return true;
            }
            if seen.insert(path) {
                ahead.extend(self.waits_of(path));
                // A nested stack stands when all in it stands.
                let inside = format!("{path}/");
                ahead.extend(
                    self.resources
                        .keys()
                        .filter(|inner| inner.starts_with(&inside))
                        .map(String::as_str),
                );
            }
        }
        false
    }

    /// What a resource and the nested stacks around it wait for.
    fn waits_of<'a>(&'a self, path: &str) -> Vec<&'a str> {
        let around = path.match_indices('/').filter_map(|(end, _)| path.get(..end));
        around
            .chain([path])
            .filter_map(|path| self.resources.get(path))
            .flat_map(|resource| resource.waits_for.iter().map(String::as_str))
            .collect()
    }
}
