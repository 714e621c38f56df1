"""What a process leaves behind in MongoDB when it is killed in the middle of a transaction."""

import signal
import subprocess
import sys
import time
from uuid import uuid4

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

pytestmark = pytest.mark.stack
IN_HAND = """
import sys, time
from pymongo import MongoClient
client = MongoClient(sys.argv[1])
with client.start_session() as session, session.start_transaction():
    client.tests.killed.insert_one({"_id": sys.argv[2]}, session=session)
    print("in hand", flush=True)
    time.sleep(300)
"""


def test_the_rows_that_a_killed_process_had_in_hand_are_free_within_seconds(mongo: str) -> None:
    row = {"_id": uuid4().hex}
    with MongoClient(mongo) as client:
        client.tests.killed.insert_one({"_id": uuid4().hex})
        holder = subprocess.Popen(
            [sys.executable, "-c", IN_HAND, mongo, row["_id"]], stdout=subprocess.PIPE, text=True
        )
        assert holder.stdout
        assert holder.stdout.readline() == "in hand\n"
        holder.send_signal(signal.SIGKILL)
        holder.wait()

        deadline = time.monotonic() + 25
        while not _inserted(client, row):
            assert time.monotonic() < deadline, "still held by a dead process"

    holder.stdout.close()


def _inserted(client: MongoClient, row: dict[str, str]) -> bool:
    try:
        with client.start_session() as session, session.start_transaction():
            client.tests.killed.insert_one(row, session=session)
    except OperationFailure as error:
        if not error.has_error_label("TransientTransactionError"):
            raise
        return False
    return True
