"""Addresses that nothing is sent to: what notify has found out, and how an operator lifts it."""

from collections.abc import Sequence
from typing import Any

from deploy.local.errors import StackError
from services.notify.dead import ADDRESSES
from shared import mongo


async def listed(client: mongo.Client) -> list[dict[str, Any]]:
    """All of them, the latest first."""
    rows = mongo.database(client, "notify")[ADDRESSES].find({}).sort("died_at", -1)
    return [{"address": row.pop("_id"), **row} async for row in rows]


async def lift(client: mongo.Client, addresses: Sequence[str]) -> list[str]:
    """Let mail go to these addresses again; a running notify asks before each refusal to send.

    Raises:
        StackError: one of them is not dead; then nothing is changed.
    """
    wanted = list(dict.fromkeys(address.lower() for address in addresses))
    dead = {row["address"] for row in await listed(client)}
    unknown = [address for address in wanted if address not in dead]
    if unknown:
        remedy = "'postdesk addresses list' shows those that are."
        raise StackError(f"Mail is sent to {unknown[0]} as it is.", remedy=remedy)
    await mongo.database(client, "notify")[ADDRESSES].delete_many({"_id": {"$in": wanted}})
    return wanted
