"""Trino over its client protocol: https://trino.io/docs/476/develop/client-protocol.html"""

import json
import os
import urllib.request


class QueryFailed(Exception):
    """What Trino says of a query that it does not answer."""


def query(database, sql):
    """The names of the columns, and the rows."""
    headers = {"X-Trino-User": "athena", "X-Trino-Catalog": "awsdatacatalog", "X-Trino-Schema": database}
    request = urllib.request.Request(f"{os.environ['TRINO_URL']}/v1/statement", sql.encode(), headers)
    columns, rows = [], []
    while True:
        with urllib.request.urlopen(request) as answer:
            page = json.load(answer)
        if "error" in page:
            raise QueryFailed(f"{page['error']['errorName']}: {page['error']['message']}")
        columns = [column["name"] for column in page.get("columns", [])] or columns
        rows += page.get("data", [])
        if "nextUri" not in page:
            return columns, rows
        request = urllib.request.Request(page["nextUri"], headers=headers)
