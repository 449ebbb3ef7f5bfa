"""What infra/try-stack calls, on one port: CloudFormation, Athena over Trino, and the pixel.

    stack_api.py --pixlake BINARY [--buffer SECONDS] [--lose N] [--twice] [--named-query NAME=SQL] STACK.json

The first line of its output is its URL. A hit of the pixel becomes a log line, and every few seconds
`pixlake ingest` makes rows of the lines, which land in S3 as Firehose would lay them there.
"""

import argparse
import base64
import collections
import datetime
import http.server
import json
import os
import pathlib
import secrets
import subprocess
import tempfile
import threading
import time
import traceback
import urllib.parse
import uuid
import xml.sax.saxutils

import catalog
import trino

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
# Other stacks of the account: one that is being made, and one that is not ours.
STACKS = {"pixlake": "CREATE_COMPLETE", "unfinished": "CREATE_IN_PROGRESS", "foreign": "UPDATE_COMPLETE"}


class AwsError(Exception):
    """An answer that the AWS command line shows as an error."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


class Athena:
    """The part of Athena's API that runs queries."""

    def __init__(self, stack, added):
        queries = catalog.of_type(stack, "AWS::Athena::NamedQuery")
        # That of the saved queries: operators have one of their own.
        groups = catalog.of_type(stack, "AWS::Athena::WorkGroup")
        (self.workgroup,) = [group for group in groups if group["Name"] == queries[0]["WorkGroup"]]
        for name, sql in added:
            queries.append(queries[0] | {"Name": name, "QueryString": sql})
        self.named_queries = {str(uuid.uuid4()): query for query in queries}
        self.executions = {}

    def call(self, operation, request):
        handlers = {
            "StartQueryExecution": self.start_query_execution,
            "GetQueryExecution": self.get_query_execution,
            "GetQueryResults": self.get_query_results,
            "ListNamedQueries": self.list_named_queries,
            "GetNamedQuery": self.get_named_query,
        }
        if operation not in handlers:
            raise AwsError("UnknownOperationException", f"no stand-in for {operation}")
        return handlers[operation](request)

    def check_workgroup(self, request):
        if request["WorkGroup"] != self.workgroup["Name"]:
            raise AwsError("InvalidRequestException", f"WorkGroup {request['WorkGroup']} is not found.")

    def start_query_execution(self, request):
        self.check_workgroup(request)
        configuration = self.workgroup["WorkGroupConfiguration"]
        if not configuration["ResultConfiguration"].get("OutputLocation"):
            raise AwsError("InvalidRequestException", "No output location provided.")
        identifier = str(uuid.uuid4())
        execution = {"request": request, "state": "RUNNING", "reason": None, "submitted": time.time()}
        self.executions[identifier] = execution
        threading.Thread(target=self.run, args=(execution,), daemon=True).start()
        return {"QueryExecutionId": identifier}

    @staticmethod
    def run(execution):
        request = execution["request"]
        try:
            columns, rows = trino.query(request["QueryExecutionContext"]["Database"], request["QueryString"])
            execution |= {"columns": columns, "rows": rows, "state": "SUCCEEDED"}
        except trino.QueryFailed as error:
            execution |= {"state": "FAILED", "reason": str(error)}

    def execution(self, request):
        try:
            return self.executions[request["QueryExecutionId"]]
        except KeyError:
            raise AwsError("InvalidRequestException", "QueryExecution was not found") from None

    def get_query_execution(self, request):
        execution = self.execution(request)
        status = {"State": execution["state"], "SubmissionDateTime": execution["submitted"]}
        if execution["reason"]:
            status["StateChangeReason"] = execution["reason"]
        return {
            "QueryExecution": {
                "QueryExecutionId": request["QueryExecutionId"],
                "Query": execution["request"]["QueryString"],
                "WorkGroup": self.workgroup["Name"],
                "Status": status,
            }
        }

    def get_query_results(self, request):
        execution = self.execution(request)
        if execution["state"] != "SUCCEEDED":
            message = f"Query has not yet finished. Current state: {execution['state']}"
            raise AwsError("InvalidRequestException", message)

        def row(cells):
            # Athena leaves out the value of a null.
            return {"Data": [{} if cell is None else {"VarCharValue": str(cell)} for cell in cells]}

        return {"ResultSet": {"Rows": [row(execution["columns"]), *map(row, execution["rows"])]}}

    def list_named_queries(self, request):
        self.check_workgroup(request)
        return {"NamedQueryIds": list(self.named_queries)}

    def get_named_query(self, request):
        identifier = request["NamedQueryId"]
        if identifier not in self.named_queries:
            raise AwsError("InvalidRequestException", f"NamedQuery {identifier} was not found")
        query = self.named_queries[identifier]
        named = {key: query[key] for key in ("Name", "Description", "Database", "QueryString")}
        return {"NamedQuery": named | {"WorkGroup": self.workgroup["Name"], "NamedQueryId": identifier}}


class Pixel:
    """CloudFront and all behind it: hits become log lines, lines become rows in S3."""

    def __init__(self, stack, arguments):
        self.stack, self.arguments = stack, arguments
        (log,) = catalog.of_type(stack, "AWS::CloudFront::RealtimeLogConfig")
        self.fields = log["Fields"]
        self.path = urllib.parse.urlsplit(stack["outputs"]["PixelUrl"]).path
        self.hits = 0
        self.lines = []
        self.lock = threading.Lock()
        threading.Thread(target=self.deliver, daemon=True).start()

    def hit(self, query, host, user_agent):
        with self.lock:
            self.hits += 1
            if self.hits != self.arguments.lose:
                line = self.line(query, host, user_agent)
                self.lines += [line, line] if self.arguments.twice else [line]

    def line(self, query, host, user_agent):
        """The log encodes once more what the browser encoded: a percent sign becomes %25."""
        logged = query.replace("%", "%25")
        known = collections.defaultdict(lambda: "-") | {
            "timestamp": f"{time.time():.3f}",
            "c-ip": "203.0.113.7",
            "c-ip-version": "IPv4",
            "sc-status": "200",
            "sc-bytes": "473",
            "sc-content-type": "image/gif",
            "sc-content-len": str(len(GIF)),
            "cs-method": "GET",
            "cs-protocol": "https",
            "cs-protocol-version": "HTTP/2.0",
            "cs-host": host,
            "cs-uri-stem": f"{self.path}?{logged}",
            "cs-uri-query": logged,
            "cs-user-agent": urllib.parse.quote(user_agent, safe="/();,:"),
            "x-edge-location": "ZRH50-P1",
            "x-edge-request-id": secrets.token_urlsafe(39) + "==",
            "x-edge-result-type": "Hit",
            "x-edge-response-result-type": "Hit",
            "x-edge-detailed-result-type": "Hit",
        }
        return "\t".join(known[field] for field in self.fields) + "\n"

    def deliver(self):
        while True:
            time.sleep(self.arguments.buffer)
            with self.lock:
                lines, self.lines = self.lines, []
            if lines:
                try:
                    self.land(lines)
                except Exception:  # a stand-in that stops delivering has to say why
                    traceback.print_exc()

    def land(self, lines):
        with tempfile.TemporaryDirectory() as folder:
            lake, log = pathlib.Path(folder, "lake"), pathlib.Path(folder, "lines.log")
            log.write_text("".join(lines))
            fields = ",".join(self.fields)
            ingest = [self.arguments.pixlake, "ingest", "--lake", lake, "--fields", fields]
            subprocess.run([*ingest, "--pixel-path", self.path, log], check=True)
            catalog.upload(self.stack, lake)


def described_stack(stack, url, name):
    """CloudFormation's answer to DescribeStacks; the pixel is here."""
    if name not in STACKS:
        raise AwsError("ValidationError", f"Stack with id {name} does not exist")
    pixel = urllib.parse.urlsplit(stack["outputs"]["PixelUrl"]).path
    outputs = {} if name == "foreign" else stack["outputs"] | {"PixelUrl": url + pixel}
    destination, _ = next(iter(catalog.converting_streams(stack)))
    parameters = {"BufferSeconds": destination["BufferingHints"]["IntervalInSeconds"]}

    def members(kind, values):
        member = "<member><{0}Key>{1}</{0}Key><{0}Value>{2}</{0}Value></member>"
        escaped = ((key, xml.sax.saxutils.escape(str(value))) for key, value in values.items())
        return "".join(member.format(kind, key, value) for key, value in escaped)

    created = datetime.datetime.now(datetime.timezone.utc).isoformat()
    return f"""<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
<DescribeStacksResult><Stacks><member>
<StackName>{name}</StackName><CreationTime>{created}</CreationTime><StackStatus>{STACKS[name]}</StackStatus>
<Parameters>{members("Parameter", parameters)}</Parameters><Outputs>{members("Output", outputs)}</Outputs>
</member></Stacks></DescribeStacksResult></DescribeStacksResponse>"""


# Pixels whose later hits a browser may leave out.
UNFIT = {
    "/kept.gif": {"Cache-Control": "max-age=60"},
    "/silent.gif": {},
    "/varied.gif": {"Cache-Control": "no-store", "No-Vary-Search": "params"},
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        pixel, url = self.server.pixel, urllib.parse.urlsplit(self.path)
        if url.path in UNFIT:
            return self.answer(200, "image/gif", GIF, UNFIT[url.path])
        if url.path != pixel.path:
            return self.answer(403, "text/plain", b"Forbidden")
        pixel.hit(url.query, self.headers["Host"], self.headers.get("User-Agent", "-"))
        return self.answer(200, "image/gif", GIF, {"Cache-Control": "no-store"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        target = self.headers.get("X-Amz-Target")
        try:
            if target:
                answer = self.server.athena.call(target.removeprefix("AmazonAthena."), json.loads(body))
                return self.answer(200, "application/x-amz-json-1.1", json.dumps(answer).encode())
            form = dict(urllib.parse.parse_qsl(body.decode()))
            if form["Action"] != "DescribeStacks":
                raise AwsError("InvalidAction", f"no stand-in for {form['Action']}")
            answer = described_stack(self.server.stack, self.server.url, form["StackName"])
            return self.answer(200, "text/xml", answer.encode())
        except AwsError as error:
            if target:
                answer = json.dumps({"__type": error.code, "Message": error.message})
                return self.answer(400, "application/x-amz-json-1.1", answer.encode())
            code, message = error.code, xml.sax.saxutils.escape(error.message)
            error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            return self.answer(400, "text/xml", f"<ErrorResponse>{error}</ErrorResponse>".encode())

    def answer(self, status, content_type, body, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Requests hold what visitors sent."""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pixlake", required=True, type=pathlib.Path)
    parser.add_argument("--buffer", type=float, default=2, help="seconds that lines wait for others")
    parser.add_argument("--lose", type=int, help="the hit with this number never becomes a log line")
    parser.add_argument("--twice", action="store_true", help="each log line comes twice")
    parser.add_argument("--named-query", action="append", default=[], help="beside the template's")
    parser.add_argument("stack", type=pathlib.Path)
    arguments = parser.parse_args()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.stack = json.loads(arguments.stack.read_text())
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.athena = Athena(server.stack, [added.split("=", 1) for added in arguments.named_query])
    server.pixel = Pixel(server.stack, arguments)
    catalog.create_catalog(server.stack)
    catalog.create_buckets(server.stack)
    print(server.url, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
