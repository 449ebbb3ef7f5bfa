"""Gives transformed templates the values that they are deployed with, for checkers that cannot follow them.

A nested stack's key is a parameter: a checker that sees only `Ref` cannot tell an encrypted stream from one
that is not. Each `Ref` to a parameter becomes its value, each `Fn::Sub` a text, and each `Fn::If` one of
its branches, in two variants. A third has its parameters yet, and nested templates in a bucket.

Usage: bind.py TRANSFORMED FOLDER; writes FOLDER/{packaged,bound/with,bound/without}/NAME.json, the last two
named after the branch that is taken.
"""

import json
import re
import sys
from pathlib import Path

# The branches of `Fn::If`, which is always asked whether something is wanted.
WITH, WITHOUT = 1, 2
NOTHING = {"Ref": "AWS::NoValue"}
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::StackName": "pixlake",
    "AWS::URLSuffix": "amazonaws.com",
}


def values(template, given, branch):
    """Parameters by name: what the parent gives, else the default, else something of the right form."""
    found = dict(PSEUDO)
    for name, parameter in template.get("Parameters", {}).items():
        value = given.get(name, parameter.get("Default"))
        left_out = value == "" and branch == WITH
        if value is None or left_out or isinstance(value, dict):
            arn = f"arn:aws:service:eu-west-1:123456789012:{name}"
            value = arn if name.endswith("Arn") else name
        if parameter["Type"] == "CommaDelimitedList" and isinstance(value, str):
            value = [part.strip() for part in value.split(",")]
        found[name] = value
    return found


def joined(text, parameters):
    """`Fn::Sub` of this text, as text where all is known, else as the `Fn::Join` that checkers follow."""
    parts = []
    for literal, name in re.findall(r"([^$]+|\$(?!{))|\${([^}]+)}", text):
        if name.startswith("!"):
            literal = f"${{{name[1:]}}}"
        elif name in parameters:
            literal = str(parameters[name])
        elif name:
            parts.append({"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name})
            continue
        if parts and isinstance(parts[-1], str):
            literal = parts.pop() + literal
        parts.append(literal)
    return parts[0] if len(parts) == 1 else {"Fn::Join": ["", parts]}


def bound(value, parameters, branch):
    if isinstance(value, list):
        items = [bound(item, parameters, branch) for item in value]
        return [item for item in items if item != NOTHING]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (function, argument), = value.items()
        if function == "Ref" and argument in parameters:
            return parameters[argument]
        if function == "Fn::If":
            return bound(argument[branch], parameters, branch)
        if function == "Fn::Sub" and isinstance(argument, str):
            return joined(argument, parameters)
    members = {name: bound(member, parameters, branch) for name, member in value.items()}
    return {name: member for name, member in members.items() if member != NOTHING}


def packaged(resources):
    """Nested stacks in a bucket, where `sam package` puts them."""
    def moved(resource):
        if resource["Type"] != "AWS::CloudFormation::Stack":
            return resource
        name = Path(resource["Properties"]["TemplateURL"]).stem
        place = {"TemplateURL": f"https://packaged.s3.amazonaws.com/{name}.json"}
        return resource | {"Properties": resource["Properties"] | place}
    return {name: moved(resource) for name, resource in resources.items()}


def visit(name, given, templates, branch, seen):
    """Gathers the parameters of a template and of those nested in it."""
    parameters = seen[name] = values(templates[name], given, branch)
    for resource in templates[name]["Resources"].values():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            nested = bound(resource["Properties"], parameters, branch)
            visit(Path(nested["TemplateURL"]).stem, nested.get("Parameters", {}), templates, branch, seen)


def write(folder, name, template, resources):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(template | {"Resources": resources}, indent=2))


def main():
    transformed, folder = Path(sys.argv[1]), Path(sys.argv[2])
    templates = {path.stem: json.loads(path.read_text()) for path in sorted(transformed.glob("*.json"))}
    for old in [*folder.glob("packaged/*.json"), *folder.glob("bound/*/*.json")]:
        old.unlink()
    for name, template in templates.items():
        write(folder / "packaged", name, template, packaged(template["Resources"]))
    for variant, branch in (("with", WITH), ("without", WITHOUT)):
        seen = {}
        visit("template", {}, templates, branch, seen)
        for name, template in templates.items():
            parameters = seen.get(name) or values(template, {}, branch)  # some are deployed by themselves
            resources = bound(template["Resources"], parameters, branch)
            write(folder / "bound" / variant, name, template, resources)


main()
