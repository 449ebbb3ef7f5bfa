//! The template's catalog, made in the stand-ins.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lake::report::REPORTS;
use pipeline_tests::stack::Stack;
use serde_json::{Map, Value, json};

/// An evaluated stack, for which a test may change what it would create.
#[derive(Clone)]
pub(crate) struct Deployment {
    /// The Glue database.
    pub(crate) database: String,
    /// `resources` by their paths, and `outputs`.
    pub(crate) stack: Value,
}

impl Deployment {
    /// The stack with a database of that name; `parameters` are the root template's.
    pub(crate) fn new(database: &str, parameters: &[(&str, &str)]) -> Deployment {
        let templates = target().join("ci/stack/transformed");
        let parameters = [parameters, &[("DatabaseName", database)]].concat();
        let stack = Stack::load(&templates, &parameters).unwrap_or_else(|error| panic!("{error}"));
        let resources = stack
            .resources()
            .map(|(path, resource)| (path.to_owned(), resource.clone()));
        Deployment {
            database: database.to_owned(),
            stack: json!({ "resources": resources.collect::<Map<_, _>>(), "outputs": stack.outputs() }),
        }
    }

    /// Makes the catalogs, and lays a lake into the buckets.
    pub(crate) fn create(deployments: &[&Deployment], lake: Option<&Path>) {
        let mut command = Command::new(work().join("venv/bin/python"));
        command.arg(root().join(".ci/athena/catalog.py"));
        if let Some(lake) = lake {
            command.arg("--lake").arg(lake);
        }
        command.args(deployments.iter().map(|deployment| deployment.write()));
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// The file that scripts read the stack from.
    pub(crate) fn write(&self) -> PathBuf {
        let path = work().join(format!("{}.json", self.database));
        fs::write(&path, self.stack.to_string()).unwrap();
        path
    }

    /// The named queries as they stand in the template, each under the name of its question.
    pub(crate) fn named_queries(&self) -> Vec<(&'static str, String)> {
        let queries: Vec<&Value> = self.of_type("AWS::Athena::NamedQuery").collect();
        assert_eq!(queries.len(), REPORTS.len());
        let query = |query: &&Value| {
            let title = query["Name"].as_str().unwrap();
            let report = REPORTS.iter().find(|report| report.title == title);
            let report = report.unwrap_or_else(|| panic!("no question is called {title}"));
            assert_eq!(query["Database"], self.database.as_str());
            (report.name, query["QueryString"].as_str().unwrap().to_owned())
        };
        queries.iter().map(query).collect()
    }

    /// The `TableInput` of a table or view.
    pub(crate) fn table(&mut self, name: &str) -> &mut Value {
        let resources = self.stack["resources"].as_object_mut().unwrap();
        let mut inputs = resources
            .values_mut()
            .filter(|resource| resource["Type"] == "AWS::Glue::Table");
        let table = inputs
            .find(|resource| resource["Properties"]["TableInput"]["Name"] == name)
            .unwrap();
        &mut table["Properties"]["TableInput"]
    }

    /// Changes what Athena keeps of a view.
    pub(crate) fn edit_view(&mut self, name: &str, edit: impl FnOnce(&mut Value)) {
        let text = &mut self.table(name)["ViewOriginalText"];
        let encoded = text.as_str().unwrap().strip_prefix("/* Presto View: ").unwrap();
        let encoded = encoded.strip_suffix(" */").unwrap();
        let mut view: Value = serde_json::from_slice(&STANDARD.decode(encoded).unwrap()).unwrap();
        let before = view.clone();
        edit(&mut view);
        assert_ne!(view, before, "the edit of {name} changes nothing");
        *text = json!(format!(
            "/* Presto View: {} */",
            STANDARD.encode(view.to_string())
        ));
    }

    fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        let resources = self.stack["resources"].as_object().unwrap();
        let of_type = resources
            .values()
            .filter(move |resource| resource["Type"] == kind);
        of_type.map(|resource| &resource["Properties"])
    }
}

/// The top of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    setting("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// The folder of this stage.
pub(crate) fn work() -> PathBuf {
    target().join("ci/athena")
}

/// What `.ci/athena/with-emulators` says in the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "where the stand-ins listen is not a setting of the program"
)]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
