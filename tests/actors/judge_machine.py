"""J13 and J14: what was given up, and how the processes fared."""

from collections.abc import Iterator

from deploy.local.parts import SERVICES
from tests.actors.books import Evidence

MOST_MIB = 400.0


def only_poison_is_dead(found: Evidence) -> Iterator[str]:
    """Dead letters are the poison that was sent, one for each service that reads the topic."""
    planned = {one.name: one for one in found.poison}
    for letter in found.dead_letters:
        if letter.poison not in planned:
            yield f"a good record is dead: {letter.topic}, {letter.service}: {letter.reason}"
    buried = {(letter.poison, letter.service) for letter in found.dead_letters}
    for one in planned.values():
        for reader in one.readers:
            if one.is_sent and (one.name, reader) not in buried:
                yield f"poison on {one.topic} is no dead letter of {reader}"


def processes(found: Evidence) -> Iterator[str]:
    """No service grows beyond its bound, or ends without our doing."""
    machine = found.machine
    for name, mib in machine.peak_mib.items():
        if name in SERVICES and mib > MOST_MIB:
            yield f"{name} had {mib:.0f} MiB"
    for name, count in machine.ends.items():
        if count > machine.caused[name]:
            yield f"{name} ended {count} times, {machine.caused[name]} of them our doing"
    yield from machine.bad_exits
