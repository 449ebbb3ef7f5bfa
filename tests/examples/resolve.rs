//! Prints what a folder of transformed templates makes, as JSON: every resource by its path, and the outputs.
//!
//! ```sh
//! cargo run -q --example resolve -- target/ci/stack/transformed Delivery=DirectPut
//! ```

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use pipeline_tests::stack::Stack;
use serde_json::{Map, Value, json};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match resolved(&arguments) {
        Ok(stack) => match writeln!(std::io::stdout().lock(), "{stack:#}") {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(message) => {
            // A standard error that takes nothing leaves nobody to tell.
            writeln!(std::io::stderr().lock(), "resolve: {message}").ok();
            ExitCode::FAILURE
        }
    }
}

fn resolved(arguments: &[String]) -> Result<Value, String> {
    let [folder, parameters @ ..] = arguments else {
        return Err("expected FOLDER [Name=Value …]".to_owned());
    };
    let parameters: Option<Vec<(&str, &str)>> =
        parameters.iter().map(|given| given.split_once('=')).collect();
    let parameters = parameters.ok_or("a parameter is written Name=Value")?;
    let stack = Stack::load(Path::new(folder), &parameters).map_err(|error| error.to_string())?;
    let resources: Map<String, Value> = stack
        .resources()
        .map(|(path, resource)| (path.to_owned(), resource.clone()))
        .collect();
    Ok(json!({ "resources": resources, "outputs": stack.outputs() }))
}
