"""A replica set of one: initiated the first time, its member's address corrected at each start."""

from typing import Any

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure

SET_NAME = "postdesk"
# What a killed service had in hand blocks the same rows for so long; the default is 60.
TRANSACTION_S = 5
NOT_YET_INITIALIZED = 94  # MongoDB's error code


def ensure_member(client: MongoClient[Any], address: str) -> bool:
    """Make ``address`` the only member of the set; false while the server does not answer yet."""
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        members = [{"_id": 0, "host": address}]
        client.admin.command("replSetInitiate", {"_id": SET_NAME, "members": members})
    except AutoReconnect:
        return False
    else:
        if config["members"][0]["host"] != address:
            config["members"][0]["host"] = address
            config["version"] += 1
            # Forced, since a member that does not find itself in the set has no primary to ask.
            client.admin.command("replSetReconfig", config, force=True)
    return True
