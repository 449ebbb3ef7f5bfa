//! The evaluator of templates says what `CloudFormation` would make of them, and refuses what it would.
//!
//! Expected values come from the pages of the intrinsic functions and of the resource types.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails, in its helpers too"
)]

use pipeline_tests::stack::{Stack, StackError, Templates};
use serde_json::{Value, json};

/// Evaluates a root alone.
fn evaluate(root: Value, parameters: &[(&str, &str)]) -> Result<Stack, StackError> {
    Templates::from_values([("template".to_owned(), root)]).stack(parameters)
}

/// Evaluates a root with one nested template, `infra/inner.yaml`.
fn nested(root: Value, inner: Value, parameters: &[(&str, &str)]) -> Result<Stack, StackError> {
    Templates::from_values([("template".to_owned(), root), ("inner".to_owned(), inner)]).stack(parameters)
}

/// What a property comes to, in a template with something of everything.
fn property(value: &Value) -> Result<Option<Value>, StackError> {
    let root = json!({
        "Parameters": {
            "Name": {"Type": "String", "Default": "clicks"},
            "Count": {"Type": "Number", "Default": 3},
            "Fields": {"Type": "CommaDelimitedList", "Default": "asn, c-ip,timestamp"},
        },
        "Mappings": {"Sizes": {"small": {"Bytes": 1024, "Names": ["a", "b"]}}},
        "Conditions": {
            "Yes": {"Fn::Equals": [{"Ref": "Name"}, "clicks"]},
            "No": {"Fn::Not": [{"Condition": "Yes"}]},
        },
        "Resources": {
            "Stream": {"Type": "AWS::Kinesis::Stream"},
            "Absent": {"Type": "AWS::Kinesis::Stream", "Condition": "No"},
            "It": {"Type": "AWS::SNS::Topic", "Properties": {"It": value}},
        },
    });
    let stack = evaluate(root, &[])?;
    Ok(stack.resource("It")["Properties"].get("It").cloned())
}

fn refused(value: &Value) -> String {
    property(value).unwrap_err().to_string()
}

#[test]
fn intrinsic_functions_give_what_their_pages_say() {
    for (value, expected) in [
        (json!({"Ref": "Name"}), json!("clicks")),
        // A number is a text once it is a parameter.
        (json!({"Ref": "Count"}), json!("3")),
        (json!({"Ref": "Fields"}), json!(["asn", "c-ip", "timestamp"])),
        (json!({"Ref": "AWS::Region"}), json!("eu-west-1")),
        (json!({"Ref": "AWS::AccountId"}), json!("123456789012")),
        (json!({"Ref": "AWS::Partition"}), json!("aws")),
        (json!({"Ref": "AWS::StackName"}), json!("pixlake")),
        (json!({"Ref": "Stream"}), json!("pixlake-Stream")),
        (
            json!({"Fn::GetAtt": ["Stream", "Arn"]}),
            json!("arn:aws:kinesis:eu-west-1:123456789012:stream/pixlake-Stream"),
        ),
        (
            json!({"Fn::GetAtt": "Stream.Arn"}),
            json!("arn:aws:kinesis:eu-west-1:123456789012:stream/pixlake-Stream"),
        ),
        (
            json!({"Fn::Sub": "${Name}/dt=${!dt}/${AWS::URLSuffix}/${Stream}/!{timestamp:HH}/$x"}),
            json!("clicks/dt=${dt}/amazonaws.com/pixlake-Stream/!{timestamp:HH}/$x"),
        ),
        (
            json!({"Fn::Sub": ["${Name}-${Own}", {"Own": {"Fn::Select": ["1", {"Ref": "Fields"}]}}]}),
            json!("clicks-c-ip"),
        ),
        // A variable of its own hides a parameter.
        (json!({"Fn::Sub": ["${Name}", {"Name": "own"}]}), json!("own")),
        (
            json!({"Fn::Join": [",", {"Ref": "Fields"}]}),
            json!("asn,c-ip,timestamp"),
        ),
        (
            json!({"Fn::Join": ["", ["a", {"Ref": "AWS::NoValue"}, "b"]]}),
            json!("ab"),
        ),
        (json!({"Fn::Split": [":", "a::b"]}), json!(["a", "", "b"])),
        (json!({"Fn::Select": [0, ["a", "b"]]}), json!("a")),
        (
            json!({"Fn::If": ["Yes", {"a": {"Ref": "Name"}}, {"Ref": "Absent"}]}),
            json!({"a": "clicks"}),
        ),
        (json!({"Fn::FindInMap": ["Sizes", "small", "Bytes"]}), json!(1024)),
        (
            json!({"Fn::Base64": {"Fn::Sub": "{${Name}}"}}),
            json!("e2NsaWNrc30="),
        ),
        (
            json!({"a": {"Ref": "AWS::NoValue"}, "b": [{"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, 2]}),
            json!({"b": [2]}),
        ),
        // A statement's condition is not a condition of the template.
        (
            json!({"Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}}),
            json!({"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}),
        ),
    ] {
        assert_eq!(property(&value).unwrap(), Some(expected), "{value}");
    }
    assert_eq!(property(&json!({"Ref": "AWS::NoValue"})).unwrap(), None);
}

#[test]
fn a_function_that_cannot_be_is_refused_with_its_place() {
    for (value, expected) in [
        (
            json!({"Ref": "Nobody"}),
            "`Nobody` is neither a parameter nor a resource",
        ),
        (
            json!({"Ref": "Absent"}),
            "It.Properties.It: `Absent` does not exist under these parameters",
        ),
        (
            json!({"a": [{"Fn::GetAtt": ["Absent", "Arn"]}]}),
            "It.Properties.It.a.0: `Absent` does not exist",
        ),
        (
            json!({"Fn::GetAtt": ["Stream", "Url"]}),
            "`Stream` has no attribute `Url`",
        ),
        (json!({"Fn::GetAtt": ["Name", "Arn"]}), "`Name` is neither"),
        (json!({"Fn::Sub": "${dt}"}), "`dt` is neither"),
        (json!({"Fn::Sub": "${Fields}"}), "is not text"),
        (json!({"Fn::Sub": "${Name"}), "has no end"),
        // In a branch that is not taken, too.
        (
            json!({"Fn::If": ["Yes", "a", {"Ref": "Nobody"}]}),
            "`Nobody` is neither",
        ),
        (
            json!({"Fn::If": ["Maybe", "a", "b"]}),
            "Conditions.Maybe: there is no such condition",
        ),
        (json!({"Fn::Select": [3, {"Ref": "Fields"}]}), "item 3 of 3"),
        (json!({"Fn::Join": [",", [["a"]]]}), "a list of texts"),
        (
            json!({"Fn::FindInMap": ["Sizes", "large", "Bytes"]}),
            "no Sizes.large.Bytes",
        ),
        (json!({"Fn::ImportValue": "x"}), "Fn::ImportValue"),
        (json!({"Fn::Cidr": ["x", 1, 2]}), "Fn::Cidr is not known here"),
        (json!({"Fn::Sub": "a", "b": 1}), "stands beside other keys"),
        (json!({"Ref": "It"}), "it waits for itself: It → It"),
    ] {
        let refused = refused(&value);
        assert!(refused.contains(expected), "{value}: {refused}");
        assert!(refused.starts_with("template template, "), "{refused}");
    }
}

#[test]
fn parameters_keep_to_their_constraints() {
    let root = |declaration: Value| {
        json!({
            "Parameters": {"P": declaration},
            "Resources": {},
            "Outputs": {"P": {"Value": {"Fn::Sub": "${P}"}}},
        })
    };
    let closed =
        json!({"Type": "String", "AllowedValues": ["a", 1], "ConstraintDescription": "must be a or 1"});
    let pattern = json!({"Type": "String", "AllowedPattern": "[a-z]+|"});
    let number = json!({"Type": "Number", "MinValue": 1, "MaxValue": 20, "Default": 20});
    let length = json!({"Type": "String", "MinLength": 2, "MaxLength": 3});
    for (declaration, value) in [
        (&closed, "a"),
        (&closed, "1"),
        (&pattern, "abc"),
        (&pattern, ""),
        (&number, "1"),
        (&number, "20"),
        (&length, "äö"),
    ] {
        let stack = evaluate(root(declaration.clone()), &[("P", value)]).unwrap();
        assert_eq!(stack.outputs()["P"], json!(value));
    }
    assert_eq!(
        evaluate(root(number.clone()), &[]).unwrap().outputs()["P"],
        json!("20")
    );
    for (declaration, value, expected) in [
        (&closed, "b", "`b` is none of AllowedValues; must be a or 1"),
        // The whole value has to match, as in Java.
        (&pattern, "abc1", "does not match AllowedPattern"),
        (&number, "0", "outside MinValue and MaxValue"),
        (&number, "20.5", "outside MinValue and MaxValue"),
        (&number, "many", "expected a number"),
        (&length, "a", "shorter than MinLength"),
        (&length, "abcd", "longer than MaxLength"),
        (
            &json!({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}),
            "a,c",
            "`c` is none of",
        ),
        (
            &json!({"Type": "CommaDelimitedList", "AllowedPattern": "[a-z]"}),
            "a,1",
            "`1` does not match",
        ),
        (
            &json!({"Type": "List<String>"}),
            "a",
            "expected String, Number or CommaDelimitedList",
        ),
    ] {
        let error = evaluate(root(declaration.clone()), &[("P", value)]).unwrap_err();
        assert_eq!(error.place, "Parameters.P");
        assert!(error.message.contains(expected), "{error}");
    }
    let error = evaluate(root(closed.clone()), &[]).unwrap_err();
    assert!(error.message.contains("no value and no default"), "{error}");
    let error = evaluate(root(number), &[("Q", "1")]).unwrap_err();
    assert_eq!(error.place, "Parameters.Q");
    assert!(error.message.contains("declares no such parameter"), "{error}");
}

#[test]
fn rules_refuse_with_their_sentence() {
    let root = json!({
        "Parameters": {
            "Delivery": {"Type": "String"},
            "Shards": {"Type": "Number", "Default": 1},
            "Fields": {"Type": "CommaDelimitedList", "Default": "timestamp,asn"},
        },
        "Rules": {
            "Shards": {
                "RuleCondition": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Delivery"}, "Kpl"]}]},
                "Assertions": [{
                    "Assert": {"Fn::Equals": [{"Ref": "Shards"}, "1"]},
                    "AssertDescription": "Set Shards to 1.",
                }],
            },
            "Fields": {"Assertions": [
                {"Assert": {"Fn::Contains": [{"Ref": "Fields"}, "timestamp"]},
                 "AssertDescription": "Add timestamp."},
                {"Assert": {"Fn::EachMemberIn": [{"Ref": "Fields"}, ["timestamp", "asn", "c-ip"]]},
                 "AssertDescription": "Name known fields."},
            ]},
        },
        "Resources": {},
    });
    for (parameters, expected) in [
        (vec![("Delivery", "Kpl")], None),
        (vec![("Delivery", "Kpl"), ("Shards", "2")], None),
        (vec![("Delivery", "DirectPut")], None),
        (
            vec![("Delivery", "DirectPut"), ("Shards", "2")],
            Some("Set Shards to 1."),
        ),
        (
            vec![("Delivery", "Kpl"), ("Fields", "asn")],
            Some("Add timestamp."),
        ),
        (
            vec![("Delivery", "Kpl"), ("Fields", "timestamp,nope")],
            Some("Name known fields."),
        ),
        // All that is wrong is said at once.
        (
            vec![("Delivery", "DirectPut"), ("Shards", "2"), ("Fields", "asn")],
            Some("Add timestamp. Set Shards to 1."),
        ),
    ] {
        let refused = evaluate(root.clone(), &parameters)
            .err()
            .map(|error| error.message);
        assert_eq!(refused.as_deref(), expected, "{parameters:?}");
    }
}

#[test]
fn a_rule_with_a_function_that_rules_lack_is_refused() {
    let root = json!({
        "Parameters": {"P": {"Type": "String", "Default": "a"}},
        "Rules": {"R": {"Assertions": [{
            "Assert": {"Fn::Equals": [{"Fn::Join": ["", [{"Ref": "P"}]]}, "a"]},
            "AssertDescription": "Never.",
        }]}},
        "Resources": {},
    });
    let error = evaluate(root, &[]).unwrap_err();
    assert!(error.message.contains("a rule cannot use"), "{error}");
}

#[test]
fn conditions_combine_and_do_not_turn_in_circles() {
    let root = |both: Value| {
        json!({
            "Parameters": {"A": {"Type": "String"}, "B": {"Type": "String"}},
            "Conditions": {
                "HasA": {"Fn::Not": [{"Fn::Equals": [{"Ref": "A"}, ""]}]},
                "HasB": {"Fn::Not": [{"Fn::Equals": [{"Ref": "B"}, ""]}]},
                "Both": both,
            },
            "Resources": {"It": {"Type": "AWS::SNS::Topic", "Condition": "Both"}},
        })
    };
    let and = json!({"Fn::And": [{"Condition": "HasA"}, {"Condition": "HasB"}]});
    let or = json!({"Fn::Or": [{"Condition": "HasA"}, {"Condition": "HasB"}]});
    for (a, b, has_both, has_any) in [
        ("", "", false, false),
        ("x", "", false, true),
        ("", "x", false, true),
        ("x", "x", true, true),
    ] {
        let exists = |condition: &Value| {
            let stack = evaluate(root(condition.clone()), &[("A", a), ("B", b)]).unwrap();
            stack.find("It").is_some()
        };
        assert_eq!(exists(&and), has_both);
        assert_eq!(exists(&or), has_any);
    }
    let circle = evaluate(
        root(json!({"Fn::Not": [{"Condition": "Both"}]})),
        &[("A", ""), ("B", "")],
    );
    assert!(circle.unwrap_err().message.contains("depends on itself"));
    let alone = evaluate(
        root(json!({"Fn::And": [{"Condition": "HasA"}]})),
        &[("A", ""), ("B", "")],
    );
    assert!(alone.unwrap_err().message.contains("2 to 10"));
}

/// A root that makes a stream, hands it to a nested stack, and then a topic named after what that made.
fn root_with_nested() -> Value {
    json!({
        "Resources": {
            "Stream": {"Type": "AWS::Kinesis::Stream"},
            "Inner": {"Type": "AWS::CloudFormation::Stack", "Properties": {
                "TemplateURL": "infra/inner.yaml",
                "Parameters": {
                    "Application": {"Ref": "AWS::StackName"},
                    "StreamArn": {"Fn::GetAtt": ["Stream", "Arn"]},
                },
            }},
            "After": {"Type": "AWS::SNS::Topic", "Properties": {
                "TopicName": {"Fn::GetAtt": ["Inner", "Outputs.Firehose"]},
            }},
            "Alone": {"Type": "AWS::SNS::Topic"},
        },
        "Outputs": {"Topic": {"Value": {"Ref": "After"}}},
    })
}

fn inner() -> Value {
    json!({
        "Parameters": {"Application": {"Type": "String"}, "StreamArn": {"Type": "String"}},
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role"},
            "Policy": {
                "Type": "AWS::IAM::Policy",
                "Properties": {"PolicyName": "p", "Roles": [{"Ref": "Role"}]},
            },
            "Firehose": {
                "Type": "AWS::KinesisFirehose::DeliveryStream",
                "DependsOn": "Policy",
                "Properties": {
                    "DeliveryStreamName": {"Fn::Sub": "${Application}-events"},
                    "Source": {"Ref": "StreamArn"},
                },
            },
            "Last": {"Type": "AWS::S3::Bucket"},
        },
        "Outputs": {"Firehose": {"Value": {"Ref": "Firehose"}}},
    })
}

#[test]
fn a_nested_stack_takes_parameters_and_gives_outputs() {
    let stack = nested(root_with_nested(), inner(), &[]).unwrap();
    let firehose = stack.resource("Inner/Firehose");
    assert_eq!(firehose["Properties"]["DeliveryStreamName"], "pixlake-events");
    assert_eq!(
        firehose["Properties"]["Source"],
        "arn:aws:kinesis:eu-west-1:123456789012:stream/pixlake-Stream"
    );
    assert_eq!(
        stack.outputs()["Topic"],
        "arn:aws:sns:eu-west-1:123456789012:pixlake-events"
    );
    assert_eq!(stack.reference("Inner/Last"), "pixlake-inner-last");
    assert_eq!(
        stack.attribute("Inner/Last", "Arn"),
        "arn:aws:s3:::pixlake-inner-last"
    );
    assert_eq!(stack.reference("Stream"), "pixlake-Stream");
    let paths: Vec<&str> = stack.resources().map(|(path, _)| path).collect();
    assert_eq!(
        paths,
        [
            "After",
            "Alone",
            "Inner",
            "Inner/Firehose",
            "Inner/Last",
            "Inner/Policy",
            "Inner/Role",
            "Stream"
        ]
    );
}

#[test]
fn a_nested_stack_gets_exactly_its_parameters() {
    let with = |name: &str, value: Value| {
        let mut root = root_with_nested();
        root["Resources"]["Inner"]["Properties"]["Parameters"][name] = value;
        nested(root, inner(), &[]).unwrap_err()
    };
    let error = with("Nobody", json!("x"));
    assert_eq!(
        (error.template.as_str(), error.place.as_str()),
        ("inner", "Parameters.Nobody")
    );
    let error = with("StreamArn", json!(["a", "b"]));
    assert!(error.message.contains("expected a text"), "{error}");
    let error = with("StreamArn", json!({"Ref": "AWS::NoValue"}));
    assert!(error.message.contains("no value and no default"), "{error}");

    let mut root = root_with_nested();
    root["Resources"]["Inner"]["Properties"]["TemplateURL"] = json!("infra/outer.yaml");
    let error = nested(root, inner(), &[]).unwrap_err();
    assert!(
        error.message.contains("TemplateURL is `infra/outer.yaml`"),
        "{error}"
    );

    let mut root = root_with_nested();
    root["Resources"]["After"]["Properties"]["TopicName"] =
        json!({"Fn::GetAtt": ["Inner", "Outputs.Stream"]});
    let error = nested(root, inner(), &[]).unwrap_err();
    assert!(error.message.contains("no attribute `Outputs.Stream`"), "{error}");
}

#[test]
fn the_order_of_creation_reaches_through_nested_stacks() {
    let stack = nested(root_with_nested(), inner(), &[]).unwrap();
    for (later, earlier, waits) in [
        ("Inner/Firehose", "Inner/Policy", true),
        ("Inner/Firehose", "Inner/Role", true),
        // The stack around it waits for the stream, whether or not the resource itself does.
        ("Inner/Role", "Stream", true),
        // A stack stands when all in it stands.
        ("After", "Inner/Firehose", true),
        ("After", "Inner/Last", true),
        ("After", "Stream", true),
        ("Inner", "Inner/Last", false),
        ("Inner/Firehose", "Inner/Last", false),
        ("Inner/Policy", "Inner/Firehose", false),
        ("Alone", "Stream", false),
        ("Stream", "After", false),
    ] {
        assert_eq!(stack.depends_on(later, earlier), waits, "{later} after {earlier}");
    }
}

#[test]
fn a_circle_of_resources_is_refused() {
    let root = json!({"Resources": {
        "A": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Sub": "${B}"}}},
        "B": {"Type": "AWS::Kinesis::Stream", "DependsOn": ["C"]},
        "C": {"Type": "AWS::Kinesis::Stream", "Properties": {"Name": {"Fn::GetAtt": ["A", "TopicName"]}}},
    }});
    let error = evaluate(root, &[]).unwrap_err();
    assert!(error.message.contains("A → B → C → A"), "{error}");
}

#[test]
fn waiting_for_what_does_not_exist_this_time_is_no_wait() {
    let root = |name: &str| {
        json!({
            "Parameters": {"P": {"Type": "String", "Default": "a"}},
            "Conditions": {"Never": {"Fn::Equals": [{"Ref": "P"}, "b"]}},
            "Resources": {
                "A": {"Type": "AWS::SNS::Topic", "Condition": "Never"},
                "B": {"Type": "AWS::SNS::Topic", "DependsOn": name},
            },
            "Outputs": {"A": {"Condition": "Never", "Value": {"Ref": "A"}}},
        })
    };
    let stack = evaluate(root("A"), &[]).unwrap();
    assert!(stack.find("A").is_none() && stack.find("B").is_some());
    assert!(!stack.depends_on("B", "A"));
    assert!(stack.outputs().is_empty());
    let error = evaluate(root("C"), &[]).unwrap_err();
    assert!(error.message.contains("DependsOn names `C`"), "{error}");
}

#[test]
fn a_deletion_policy_with_a_slip_is_refused() {
    let root = |policy: &str| {
        let stream = json!({"Type": "AWS::Kinesis::Stream", "DeletionPolicy": policy});
        json!({"Resources": {"A": stream}})
    };
    assert_eq!(
        evaluate(root("Retain"), &[]).unwrap().resource("A")["DeletionPolicy"],
        "Retain"
    );
    assert!(
        evaluate(root("Retained"), &[])
            .unwrap_err()
            .message
            .contains("DeletionPolicy")
    );
    // A replacement is not a creation.
    let stream = json!({"Type": "AWS::Kinesis::Stream", "UpdateReplacePolicy": "RetainExceptOnCreate"});
    let error = evaluate(json!({"Resources": {"A": stream}}), &[]).unwrap_err();
    assert!(error.message.contains("UpdateReplacePolicy"), "{error}");
}

#[test]
fn a_type_that_nobody_described_is_refused_when_its_identity_is_asked_for() {
    let root = json!({"Resources": {
        "A": {"Type": "AWS::New::Thing"},
        "B": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "A"}}},
    }});
    assert!(
        evaluate(root, &[])
            .unwrap_err()
            .message
            .contains("its type is new")
    );
}
