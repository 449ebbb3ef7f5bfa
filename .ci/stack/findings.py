"""Holds what the checkers found against what we have a reason for, both ways.

A line of the file of reasons is `TOOL RULE PLACE[,PLACE…]: REASON`, with PLACE as TEMPLATE/RESOURCE, or
with/TEMPLATE/RESOURCE where it is found only with what the template leaves to choose, or without/… . A
finding without a reason fails, and so does a reason without a finding. A line that begins with spaces goes
on with the one before, and one that begins with # says something else.

Usage: findings.py REASONS FOLDER, with the reports of the tools in FOLDER.
       findings.py --at-least REASONS FOLDER: only the second way, for a stack that is wrong on purpose.
"""

import json
import re
import sys
from pathlib import Path


def cfn_lint(folder):
    """Findings of cfn-lint, and how many templates it read."""
    found = set()
    for match in json.loads((folder / "cfn-lint.json").read_text()):
        path = [str(part) for part in match["Location"]["Path"] or []]
        place = path[1] if len(path) > 1 and path[0] == "Resources" else "/".join(path[:2]) or "-"
        found.add(("cfn-lint", match["Rule"]["Id"], f"{Path(match['Filename']).stem}/{place}"))
    return found, len((folder / "cfn-lint.templates").read_text().split())


def resources(report):
    """The resources that a part of cfn-guard's report looked at, without those that it compared them with."""
    if isinstance(report, list):
        return set().union(*map(resources, report))
    if not isinstance(report, dict):
        return set()
    found = set().union(*(resources(part) for name, part in report.items() if name != "to"))
    if match := re.match(r"/Resources/(\w+)", str(report.get("path", ""))):
        found.add(match[1])
    return found


def by_variant(found):
    """Findings in both variants of a template, and those of one by its name: `without/edge/Distribution`."""
    variants = {}
    for tool, rule, path, resource in found:
        variants.setdefault((tool, rule, f"{path.stem}/{resource}"), set()).add(path.parent.name)
    return {
        (tool, rule, place if len(names) > 1 else f"{names.pop()}/{place}")
        for (tool, rule, place), names in variants.items()
    }


def guard(folder):
    """Findings of cfn-guard, and how many rules held."""
    found, held = set(), 0
    for report in json.loads((folder / "guard.json").read_text()):
        held += len(report["compliant"])
        for broken in report["not_compliant"]:
            rule = broken["Rule"]
            for resource in resources(rule["checks"]) or {"-"}:
                found.add(("cfn-guard", rule["name"], Path(report["name"]), resource))
    return by_variant(found), held


def checkov(folder):
    """Findings of checkov, and how many checks held."""
    reports = json.loads((folder / "checkov.json").read_text())
    found, held = set(), 0
    for report in reports if isinstance(reports, list) else [reports]:
        if report["summary"]["parsing_errors"]:
            sys.exit(f"checkov could not read {report['results']['parsing_errors']}")
        held += report["summary"]["passed"]
        for check in report["results"]["failed_checks"]:
            resource = check["resource"].rsplit(".")[-1]
            found.add(("checkov", check["check_id"], Path(check["file_path"]), resource))
    return by_variant(found), held


def reasons(path, bare):
    """What a file names; in a `bare` one the lines may go without their reason."""
    text = path.read_text(encoding="utf-8")
    known = set()
    for line in re.sub(r"(,?)\n +", lambda end: end[1] or " ", text).splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"(\S+) (\S+) ([^\s:]+)(: \S.*)?", line)
        if not match or not (match[4] or bare):
            sys.exit(f"{path}: not `TOOL RULE PLACE[,PLACE…]: REASON`: {line}")
        for place in match[3].split(","):
            reason = (match[1], match[2], place)
            if reason in known:
                sys.exit(f"{path}: {' '.join(reason)} has a reason already")
            known.add(reason)
    return known


def main():
    at_least = sys.argv[1] == "--at-least"
    path, folder = (Path(argument) for argument in sys.argv[-2:])
    known, found, held = reasons(path, at_least), set(), 0
    for tool in (cfn_lint, guard, checkov):
        findings, count = tool(folder)
        if not count and not at_least:
            sys.exit(f"{tool.__name__} checked nothing")
        found |= findings
        held += count
    bad = [("no such finding", *reason) for reason in known - found]
    if not at_least:
        bad += [("no reason", *finding) for finding in found - known]
    for what, tool, rule, place in sorted(bad):
        print(f"{what}: {tool} {rule} {place}")
    print(f"{held} checks held; {len(found)} findings, of which {len(found & known)} are in {path}")
    if bad:
        sys.exit(1)


main()
