//! Parameters: described, bounded, used, and refused in a sentence where they contradict each other.

use std::collections::{BTreeMap, BTreeSet};

use pipeline_tests::stack::{Templates, references};
use serde_json::Value;

use super::world::{CERTIFICATE, WEB_ACL, World, items, text, texts};

/// Templates that a user fills in; the others get their parameters from these.
const FILLED_IN: [&str; 2] = ["template", "us-east-1"];

pub(crate) fn declared<'a>(
    templates: &'a Templates,
    template: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    let declared = templates
        .get(template)
        .and_then(|json| json["Parameters"].as_object());
    declared.into_iter().flatten()
}

/// Each parameter has a sentence; those that a user sets have a default and say what they take.
pub(crate) fn descriptions(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    for (template, json) in world.templates.iter() {
        let description = text(&json["Description"]);
        say(
            description.trim_end().ends_with('.'),
            format!("{template} has no sentence that describes it"),
        );
        for (name, parameter) in declared(&world.templates, template) {
            let place = format!("{template}: {name}");
            let description = text(&parameter["Description"]);
            // A word or a path may begin the sentence.
            say(
                description.ends_with('.') && description.split(' ').count() >= 3,
                format!("{place} has no full sentence: `{description}`"),
            );
            if !FILLED_IN.contains(&template) {
                continue;
            }
            say(
                parameter.get("Default").is_some(),
                format!("{place} has no default"),
            );
            let has = |key: &str| parameter.get(key).is_some();
            say(
                has("AllowedValues") || has("AllowedPattern") || has("MinValue") || is_ruled(json, name),
                format!("{place} takes anything"),
            );
            say(
                !has("AllowedPattern") || has("ConstraintDescription"),
                format!("{place} does not say in words what it takes"),
            );
        }
        for (name, rule) in json["Rules"].as_object().into_iter().flatten() {
            for assertion in items(&rule["Assertions"]) {
                let sentence = text(&assertion["AssertDescription"]);
                say(
                    sentence.trim_end().ends_with('.'),
                    format!("{template}: {name} refuses without a sentence"),
                );
            }
        }
    }
    for template in FILLED_IN {
        groups(&world.templates, template, &mut wrong);
    }
    wrong
}

/// Whether a rule says what a list may hold.
fn is_ruled(template: &Value, name: &str) -> bool {
    let rules = template["Rules"].as_object().into_iter().flatten();
    let mut assertions = rules.flat_map(|(_, rule)| items(&rule["Assertions"]));
    assertions.any(|assertion| assertion["Assert"]["Fn::EachMemberIn"][0]["Ref"] == name)
}

/// The console shows parameters in groups, and forgets none.
fn groups(templates: &Templates, template: &str, wrong: &mut Vec<String>) {
    let mut places: BTreeMap<String, u32> = BTreeMap::new();
    for (_, names) in grouped(templates, template) {
        for name in names {
            *places.entry(name).or_default() += 1;
        }
    }
    let grouped: BTreeSet<&String> = places.keys().collect();
    let declared: BTreeSet<&String> = declared(templates, template).map(|(name, _)| name).collect();
    if grouped != declared || places.values().any(|&count| count != 1) {
        let missing = declared.symmetric_difference(&grouped).collect::<Vec<_>>();
        wrong.push(format!(
            "{template}: groups have each parameter once, but for {missing:?}"
        ));
    }
}

/// The groups of parameters in the console: label and names.
pub(crate) fn grouped(templates: &Templates, template: &str) -> Vec<(String, Vec<String>)> {
    let groups = templates
        .get(template)
        .map(|json| &json["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]);
    let groups = groups.map(items).unwrap_or_default().iter();
    groups
        .map(|group| (text(&group["Label"]["default"]), texts(&group["Parameters"])))
        .collect()
}

/// What a template declares it uses, and what it needs it gets.
pub(crate) fn every_parameter_is_used_and_passed(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (template, json) in world.templates.iter() {
        let mut used = BTreeSet::new();
        for section in ["Resources", "Conditions", "Outputs", "Rules"] {
            used.extend(
                references(&json[section])
                    .into_iter()
                    .map(|reference| reference.name),
            );
        }
        for (name, _) in declared(&world.templates, template) {
            if !used.contains(name) {
                wrong.push(format!("{template}: nobody uses {name}"));
            }
        }
        for (logical_id, resource) in json["Resources"].as_object().into_iter().flatten() {
            if resource["Type"] != "AWS::CloudFormation::Stack" {
                continue;
            }
            let url = text(&resource["Properties"]["TemplateURL"]);
            let nested = url
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .trim_end_matches(".yaml")
                .to_owned();
            let passed = resource["Properties"]["Parameters"]
                .as_object()
                .into_iter()
                .flatten();
            let passed: BTreeSet<String> = passed.map(|(name, _)| name.clone()).collect();
            for (name, _) in declared(&world.templates, &nested) {
                if !passed.contains(name) {
                    wrong.push(format!("{template}: {logical_id} does not get {name}"));
                }
            }
            given.entry(nested).or_default().extend(passed);
        }
    }
    for (template, _) in world.templates.iter() {
        if !FILLED_IN.contains(&template) && !given.contains_key(template) {
            wrong.push(format!("nobody makes a stack of {template}"));
        }
    }
    wrong
}

/// `CloudFormation` hands on parameters as texts, and says nowhere that it takes a number for one. Rules are the
/// first thing it evaluates: one that it cannot read refuses every deployment.
pub(crate) fn comparisons(world: &World) -> Vec<String> {
    fn numbers(place: &str, value: &Value, wrong: &mut Vec<String>) {
        match value {
            Value::Array(parts) => parts.iter().for_each(|part| numbers(place, part, wrong)),
            Value::Object(members) => {
                for (name, member) in members {
                    let compares = name == "Fn::Equals" && items(member).iter().any(Value::is_number);
                    if compares {
                        wrong.push(format!("{place} compares a text with a number: {member}"));
                    }
                    numbers(place, member, wrong);
                }
            }
            _ => {}
        }
    }
    let mut wrong = Vec::new();
    for (template, json) in world.templates.iter() {
        for section in ["Rules", "Conditions"] {
            for (name, declared) in json[section].as_object().into_iter().flatten() {
                numbers(&format!("{template}: {name}"), declared, &mut wrong);
            }
        }
    }
    wrong
}

/// A template, parameters that contradict each other or themselves, and words of what refuses them.
type Refused = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

/// Examples of what has to be refused.
#[rustfmt::skip]
const REFUSED: &[Refused] = &[
    ("template", &[("Delivery", "kpl")], "AllowedValues"),
    ("template", &[("Delivery", "")], "AllowedValues"),
    ("template", &[("KeepDelivery", "Both")], "AllowedValues"),
    ("template", &[("KeepDelivery", "Kpl")], "it cannot be the same as Delivery"),
    ("template", &[("Delivery", "DirectPut"), ("KeepDelivery", "DirectPut")], "cannot be the same as"),
    ("template", &[("StreamMode", "ON_DEMAND"), ("LogStreamShards", "2")], "there are no shards to count"),
    ("template", &[("StreamMode", "ON_DEMAND"), ("EventStreamShards", "2")], "there are no shards to count"),
    ("template", &[("Delivery", "DirectPut"), ("EventStreamShards", "2")], "there is no event stream"),
    ("template", &[("LogStreamShards", "0")], "MinValue"),
    ("template", &[("LogStreamRetentionHours", "12")], "AllowedValues"),
    ("template", &[("LogStreamRetentionHours", "8760")], "AllowedValues"),
    ("template", &[("EventStreamRetentionHours", "23")], "AllowedValues"),
    ("template", &[("BlobBytes", "1000")], "MinValue"),
    ("template", &[("BlobBytes", "1000001")], "MaxValue"),
    ("template", &[("Architecture", "arm")], "AllowedValues"),
    ("template", &[("FunctionMemory", "64")], "MinValue"),
    ("template", &[("ReservedConcurrency", "-1")], "MinValue"),
    ("template", &[("LogFields", "c-ip,cs-uri-stem")], "timestamp"),
    ("template", &[("LogFields", "timestamp,c-ip")], "cs-uri-stem"),
    ("template", &[("LogFields", "timestamp,cs-uri-stem,sc-status-code")], "LogFields"),
    ("template", &[("LogFields", "timestamp,cs-uri-stem,")], "LogFields"),
    ("template", &[("PixelPath", "p.gif")], "must be a path"),
    ("template", &[("PixelPath", "/p.png")], "ends in .gif"),
    ("template", &[("PixelPath", "//p.gif")], "must be a path"),
    ("template", &[("PixelPath", "/p.gif?x")], "must be a path"),
    ("template", &[("DomainName", "px.example.com")], "DomainName needs CertificateArn"),
    ("template", &[("DomainName", "https://px.example.com"), ("CertificateArn", CERTIFICATE)],
        "must be a host name"),
    ("template", &[("CertificateArn", CERTIFICATE)], "Set DomainName"),
    ("template", &[("DomainName", "px.example.com"),
        ("CertificateArn", "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d")],
        "us-east-1"),
    ("template", &[("WebAclArn", "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/0a1b2c3d")],
        "us-east-1"),
    ("template", &[("ExistingDistributionId", "px.example.com")], "must be the id of a CloudFront"),
    ("template", &[("ExistingDistributionId", "E2QWRUHAPOMQZL"), ("DomainName", "px.example.com"),
        ("CertificateArn", CERTIFICATE)],
        "the domain name is that distribution's own"),
    ("template", &[("ExistingDistributionId", "E2QWRUHAPOMQZL"), ("DomainName", "px.example.com"),
        ("CertificateArn", CERTIFICATE)],
        "the certificate is that distribution's own"),
    ("template", &[("ExistingDistributionId", "E2QWRUHAPOMQZL"), ("WebAclArn", WEB_ACL)],
        "the web ACL is that distribution's own"),
    ("template", &[("ExistingDistributionId", "E2QWRUHAPOMQZL"), ("PriceClass", "PriceClass_100")],
        "the price class is that distribution's own"),
    ("template", &[("DatabaseName", "Pix-Lake")], "lower-case letters"),
    ("template", &[("FirstDay", "yesterday")], "must be a day"),
    ("template", &[("FirstDay", "2026-1-1")], "must be a day"),
    ("template", &[("BufferSeconds", "901")], "AllowedValues"),
    ("template", &[("BufferMegabytes", "63")], "MinValue"),
    ("template", &[("BufferMegabytes", "129")], "MaxValue"),
    ("template", &[("EventRetentionDays", "-1")], "MinValue"),
    ("template", &[("RawArchive", "true")], "AllowedValues"),
    ("template", &[("ScanLimitBytes", "9999999")], "MinValue"),
    ("template", &[("AlarmEmail", "on-call")], "must be an e-mail address"),
    ("template", &[("LogRetentionDays", "31")], "AllowedValues"),
    ("template", &[("Shards", "2")], "declares no such parameter"),
    ("us-east-1", &[("HostedZoneId", "Z1D633PJN98FT9")], "Set DomainName"),
    ("us-east-1", &[("AlarmEmail", "on-call@example.com")], "Set it to the output DistributionId"),
    ("us-east-1", &[("MinRequestsPerHour", "10")], "Set DistributionId"),
    ("us-east-1", &[("WafAction", "None")], "There is nothing to make"),
];

/// A set that cannot work is refused before anything is made, with a sentence that says what to do.
pub(crate) fn contradictions_are_refused(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut refused_by: Vec<(&str, String)> = Vec::new();
    for &(template, parameters, expected) in REFUSED {
        let region = if template == "us-east-1" {
            "us-east-1"
        } else {
            "eu-west-1"
        };
        match world.templates.stack_of(template, region, parameters) {
            Ok(_) => wrong.push(format!("{template}: {parameters:?} is not refused")),
            Err(error) => {
                // Nested templates come too late: half of the stack would be there.
                if error.template != template || !error.to_string().contains(expected) {
                    wrong.push(format!(
                        "{template}: {parameters:?} is refused otherwise: {error}"
                    ));
                }
                refused_by.push((template, error.message));
            }
        }
    }
    let elsewhere = world.templates.stack_of("us-east-1", "eu-west-1", &[]);
    match elsewhere {
        Err(error) => {
            if !error.message.contains("--region us-east-1") {
                wrong.push(format!(
                    "us-east-1 in another region is refused otherwise: {error}"
                ));
            }
            refused_by.push(("us-east-1", error.message));
        }
        Ok(_) => wrong.push("us-east-1 can be deployed elsewhere".to_owned()),
    }
    for template in FILLED_IN {
        let rules = world.templates.get(template).map(|json| &json["Rules"]);
        for (name, rule) in rules.and_then(Value::as_object).into_iter().flatten() {
            for assertion in items(&rule["Assertions"]) {
                let sentence = text(&assertion["AssertDescription"]);
                let says = |(of, message): &(&str, String)| *of == template && message.contains(&sentence);
                if !refused_by.iter().any(says) {
                    wrong.push(format!("{template}: no example shows what {name} refuses"));
                }
            }
        }
    }
    wrong
}
