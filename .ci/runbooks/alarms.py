"""Alarms and docs/operations.md agree: each alarm and rule has its heading with the same severity, each
heading has its alarm, and every link leads somewhere. What alarms watch is for the tests of the templates."""

import re
import sys

import yaml
from page import anchor, sections

TYPES = ("AWS::CloudWatch::Alarm", "AWS::Events::Rule")
TEMPLATES = ("infra/alarms.yaml", "infra/firehose-alarms.yaml")


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's short forms; a `!Sub` is its text, and nothing else matters here."""


Template.add_multi_constructor("!", lambda loader, tag, node: node.value)


def descriptions(path):
    """Each alarm and rule with what it says of itself."""
    with open(path) as file:
        resources = yaml.load(file, Template)["Resources"]
    for name, resource in resources.items():
        if resource["Type"] in TYPES:
            properties = resource["Properties"]
            yield name, properties.get("AlarmDescription") or properties["Description"]


OURS = {name: words for path in TEMPLATES for name, words in descriptions(path)}
# These say what to do and not how urgent it is: they may be deployed without this page.
EDGE = dict(descriptions("infra/us-east-1.yaml"))


def disagreements():
    page = sections()
    headings = {section.title: section.text for section in page if section.level == 4}
    anchors = {anchor(section.title) for section in page}
    alarms = OURS | EDGE
    yield from (f"{name} has no heading" for name in alarms.keys() - headings.keys())
    yield from (f"the heading {name} has no alarm" for name in headings.keys() - alarms.keys())
    for name in alarms.keys() & headings.keys():
        said = re.match(r"(page|warn)\. .*\bLost:\s.*\bDo:\s", headings[name], re.DOTALL)
        if not said:
            yield f"{name}: the page does not say how urgent it is, what is lost and what to do"
        elif name in OURS and not OURS[name].startswith(f"{said[1]}: "):
            yield f"{name}: the page says {said[1]}, the template: {OURS[name]}"
    for section in page:
        for target in re.findall(r"\]\(#([^)]+)\)", section.text):
            if target not in anchors:
                yield f"{section.title}: there is no heading #{target}"


failures = sorted(disagreements())
for failure in failures:
    print(f"FAILED {failure}", file=sys.stderr)
print(f"{len(OURS) + len(EDGE)} alarms and rules compared with their headings")
print(f"test result: {'FAILED' if failures else 'ok'}. {int(not failures)} passed; {len(failures)} failed;")
sys.exit(bool(failures))
