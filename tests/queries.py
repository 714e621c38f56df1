"""Has MongoDB write down which queries of the services look at more than they should."""

from collections.abc import Mapping
from typing import Any

from pymongo import MongoClient

from deploy.local.parts import SERVICES
from shared.blobs import DATABASE as BLOBS

Client = MongoClient[dict[str, Any]]

OFF, SOME = 0, 1
SCAN: Mapping[str, Any] = {"planSummary": {"$regex": "COLLSCAN"}}
DATABASES = (*(f"postdesk_{name}" for name in SERVICES), BLOBS)
NEVER_SLOW_MS = 3_600_000  # the filter alone decides


def more_than(documents: int) -> Mapping[str, Any]:
    """Queries that looked at so many documents, or through a whole collection."""
    return {"$or": [SCAN, {"docsExamined": {"$gt": documents}}]}


def watch(client: Client, what: Mapping[str, Any] = SCAN) -> None:
    """Write down from now on which operations of the services are ``what``; forget earlier ones.

    Others' queries, such as those of tests, do not count: a service's connections bear its name.
    """
    own = {"appName": {"$regex": f"^({'|'.join(SERVICES)})-"}}
    for name in DATABASES:
        database = client[name]
        database.command("profile", OFF)
        database.drop_collection("system.profile")
        database.command("profile", SOME, slowms=NEVER_SLOW_MS, filter={"$and": [own, what]})


def noted(client: Client) -> list[str]:
    """What was written down, one line for each kind of query."""
    found = {
        f"{row['ns']} {row['op']} {row.get('planSummary', '')} {_asked(row.get('command', {}))}"
        for name in DATABASES
        for row in client[name]["system.profile"].find()
    }
    return sorted(found)


def _asked(command: Mapping[str, Any]) -> str:
    """The fields that were asked for: the values are somebody's."""
    asked = command.get("filter") or command.get("q") or command.get("query") or {}
    return ", ".join(sorted(asked)) if asked else ", ".join(sorted(command))
