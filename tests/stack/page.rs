//! The page of parameters, from the templates.

use std::fmt::Write as _;

use pipeline_tests::stack::Templates;
use serde_json::Value;

use super::parameters::{declared, grouped};
use super::world::{items, text, texts};

/// The page of parameters, as it should be.
pub(crate) fn parameters(templates: &Templates) -> String {
    let mut page = String::from(
        "# Parameters\n\nGenerated from the templates. `sam deploy --guided` asks for each; so does the \
         console. Combinations that cannot work are refused before anything is made, with a sentence that \
         says what to do.\n",
    );
    for (template, title) in [
        ("template", "`template.yaml`, the stack"),
        (
            "us-east-1",
            "`infra/us-east-1.yaml`, what CloudFront takes from us-east-1 only",
        ),
    ] {
        write!(page, "\n## {title}\n").unwrap();
        for (label, names) in grouped(templates, template) {
            write!(
                page,
                "\n### {label}\n\n| parameter | default | takes | what |\n| --- | --- | --- | --- |\n"
            )
            .unwrap();
            for name in names {
                if let Some((_, parameter)) = declared(templates, template).find(|(known, _)| **known == name)
                {
                    let what = text(&parameter["Description"]).replace('|', "\\|");
                    let (default, takes) = (default(parameter), takes(parameter));
                    writeln!(page, "| `{name}` | {default} | {takes} | {what} |").unwrap();
                }
            }
        }
        page.push_str("\n### What is refused\n\n");
        let rules = templates.get(template).and_then(|json| json["Rules"].as_object());
        for (_, rule) in rules.into_iter().flatten() {
            for assertion in items(&rule["Assertions"]) {
                writeln!(page, "- {}", text(&assertion["AssertDescription"]).trim()).unwrap();
            }
        }
    }
    page
}

fn default(parameter: &Value) -> String {
    let default = text(&parameter["Default"]);
    match default.as_str() {
        "" => "empty".to_owned(),
        list if parameter["Type"] == "CommaDelimitedList" && list.len() > 100 => {
            format!("{} fields", list.split(',').count())
        }
        value => format!("`{value}`"),
    }
}

fn takes(parameter: &Value) -> String {
    let allowed = texts(&parameter["AllowedValues"]);
    let number = |key: &str| parameter.get(key).map(text);
    match (number("MinValue"), number("MaxValue")) {
        _ if parameter["Type"] == "CommaDelimitedList" => "a comma-separated list".to_owned(),
        _ if !allowed.is_empty() => allowed
            .iter()
            .map(|value| format!("`{value}`"))
            .collect::<Vec<_>>()
            .join(", "),
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("{least} or more"),
        _ => {
            let sentence = text(&parameter["ConstraintDescription"]);
            let sentence = sentence.trim_end_matches('.');
            sentence.strip_prefix("must be ").unwrap_or(sentence).to_owned()
        }
    }
}
