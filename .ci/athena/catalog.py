"""Makes the Glue catalog of evaluated stacks in the stand-ins, and lays a lake into their buckets.

    catalog.py [--lake FOLDER] STACK.json…

The stack is what tests/examples/resolve.rs prints. Glue gets what CloudFormation would send, but for one key:
Trino wants `runAsInvoker` in a view, which Athena's own views lack.
"""

import argparse
import base64
import json
import os
import pathlib
import re

import boto3

VIEW = re.compile(r"/\* Presto View: (\S+) \*/")
PARTITION = re.compile(r"dt=(?P<dt>[0-9-]{10})(/hour=(?P<hour>[0-9]{2}))?")


def client(service):
    return boto3.client(service, endpoint_url=os.environ["MOTO_URL"])


def of_type(stack, kind):
    return [resource["Properties"] for resource in stack["resources"].values() if resource["Type"] == kind]


def for_trino(table):
    """The table as CloudFormation sends it; a view with the key that Trino needs."""
    if table.get("TableType") != "VIRTUAL_VIEW":
        return table
    (encoded,) = VIEW.fullmatch(table["ViewOriginalText"]).groups()
    view = json.loads(base64.b64decode(encoded)) | {"runAsInvoker": True}
    encoded = base64.b64encode(json.dumps(view).encode()).decode()
    return table | {"ViewOriginalText": f"/* Presto View: {encoded} */"}


def create_catalog(stack):
    glue = client("glue")
    for database in of_type(stack, "AWS::Glue::Database"):
        glue.create_database(CatalogId=database["CatalogId"], DatabaseInput=database["DatabaseInput"])
    for table in of_type(stack, "AWS::Glue::Table"):
        place = {key: table[key] for key in ("CatalogId", "DatabaseName")}
        glue.create_table(**place, TableInput=for_trino(table["TableInput"]))


def converting_streams(stack):
    """The Firehose streams that write rows, each with the name of its table; not the archive of raw lines."""
    for stream in of_type(stack, "AWS::KinesisFirehose::DeliveryStream"):
        destination = stream["ExtendedS3DestinationConfiguration"]
        if "DataFormatConversionConfiguration" in destination:
            conversion = destination["DataFormatConversionConfiguration"]
            yield destination, conversion["SchemaConfiguration"]["TableName"]


def bucket_of(destination):
    return destination["BucketARN"].removeprefix("arn:aws:s3:::")


def create_buckets(stack):
    s3 = client("s3")
    for bucket in {bucket_of(destination) for destination, _ in converting_streams(stack)}:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})


def upload(stack, lake):
    """Puts objects where the template's Firehose streams would: in their bucket, under their prefix."""
    s3 = client("s3")
    for destination, table in converting_streams(stack):
        for path in (lake / table.removesuffix("_landed")).rglob("*.parquet"):
            partition = PARTITION.search(str(path)).groupdict()
            prefix = (
                destination["Prefix"]
                .replace("!{partitionKeyFromQuery:dt}", partition["dt"])
                .replace("!{partitionKeyFromQuery:hour}", partition["hour"] or "")
                .replace("!{timestamp:yyyy-MM-dd}", partition["dt"])
            )
            s3.upload_file(str(path), bucket_of(destination), prefix + path.name)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lake", type=pathlib.Path)
    parser.add_argument("stacks", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    for path in arguments.stacks:
        stack = json.loads(path.read_text())
        create_catalog(stack)
        if arguments.lake:
            create_buckets(stack)
            upload(stack, arguments.lake)


if __name__ == "__main__":
    main()
