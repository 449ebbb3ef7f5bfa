"""Does to templates what `sam package` and CloudFormation's SAM transform do, without an account.

Usage: transform.py FOLDER TEMPLATE…; writes FOLDER/NAME.json for each NAME.yaml.
"""

import json
import logging
import os
import sys
from pathlib import Path

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

SAM = "AWS::Serverless-2016-10-31"


class NoManagedPolicies(ManagedPolicyLoader):
    """Our roles name no managed policy, so AWS need not be asked for their ARNs."""

    def __init__(self):
        super().__init__(None)

    def load(self):
        return {}


def packaged(template):
    """The template with its code in a bucket, where `sam package` puts it."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function" and "CodeUri" in resource["Properties"]:
            resource["Properties"]["CodeUri"] = {"Bucket": "packaged", "Key": name}
    return template


def transformed(path):
    template = yaml_parse(path.read_text(encoding="utf-8"))
    transforms = template.get("Transform")
    if transforms is None:
        return template
    if transforms != SAM:
        sys.exit(f"{path}: Transform is {transforms}, and only {SAM} is known here")
    # The translator drops what it does not know and orders sections anew, so ours keep theirs.
    sections = list(template)
    try:
        result = transform(packaged(template), {}, NoManagedPolicies(), passthrough_metadata=True)
    except InvalidDocumentException as error:
        sys.exit(f"{path}: " + "; ".join(cause.message for cause in error.causes))
    lost = set(sections) - set(result) - {"Transform", "Globals"}
    if lost:
        sys.exit(f"{path}: the transform lost {sorted(lost)}")
    sections += [section for section in result if section not in sections]
    return {section: result[section] for section in sections if section in result}


def main():
    os.environ["AWS_DEFAULT_REGION"] = "eu-west-1"  # the translator wants one; none of ours differs by region
    logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)  # it counts, and nobody asked
    folder, paths = Path(sys.argv[1]), [Path(path) for path in sys.argv[2:]]
    folder.mkdir(parents=True, exist_ok=True)
    names = {f"{path.stem}.json" for path in paths}
    for path in paths:
        text = json.dumps(transformed(path), indent=2, ensure_ascii=False) + "\n"
        # Whoever reads meanwhile sees the old file or the new one.
        unfinished = folder / f".{path.stem}"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(folder / f"{path.stem}.json")
    for old in folder.glob("*.json"):
        if old.name not in names:
            old.unlink()
    print(f"{len(paths)} templates transformed into {folder}")


main()
