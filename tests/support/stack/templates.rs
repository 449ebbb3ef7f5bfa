//! The transformed templates of a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::evaluation::Evaluation;
use super::{NAME, REGION, Stack, StackError};

/// The root's name among the templates.
pub(super) const ROOT: &str = "template";

/// Templates by the stem of their file: `template` is the root, `lake` comes from `infra/lake.yaml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Templates(BTreeMap<String, Value>);

impl Templates {
    /// Reads every `*.json` of a folder.
    pub fn read(folder: &Path) -> Result<Templates, StackError> {
        let wrong = |place: &Path, error: &dyn std::fmt::Display| {
            StackError::new(ROOT, place.display().to_string(), error.to_string())
        };
        let mut templates = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(|error| wrong(folder, &error))? {
            let path = entry.map_err(|error| wrong(folder, &error))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let text = fs::read(&path).map_err(|error| wrong(&path, &error))?;
                let json = serde_json::from_slice(&text).map_err(|error| wrong(&path, &error))?;
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                templates.insert(stem.into_owned(), json);
            }
        }
        Ok(Templates(templates))
    }

    /// Templates that a test has at hand.
    pub fn from_values(templates: impl IntoIterator<Item = (String, Value)>) -> Templates {
        Templates(templates.into_iter().collect())
    }

    /// The template of that name, as it stands.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The same, to be changed by a test.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.get_mut(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, template)| (name.as_str(), template))
    }

    /// Evaluates the root in [`REGION`].
    pub fn stack(&self, parameters: &[(&str, &str)]) -> Result<Stack, StackError> {
        self.stack_of(ROOT, REGION, parameters)
    }

    /// Evaluates one of the templates as a stack of its own.
    pub fn stack_of(
        &self,
        template: &str,
        region: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Stack, StackError> {
        let parameters = parameters
            .iter()
            .map(|&(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        Evaluation::of(self, template, region, NAME, "", parameters)?.run()
    }
}
