import asyncio
import json
import os
import signal
import sys
import urllib.error
import urllib.request
import uuid
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from deploy.local.ports import free_port
from shared.bus import Bus
from tests.bus_records import a_note, until

pytestmark = pytest.mark.stack

DESK = Path(__file__).parents[3] / "deploy" / "presets" / "demo.yaml"


@asynccontextmanager
async def service(
    topic: str = "none", mode: str = "", *, name: str = "", **settings: str
) -> AsyncIterator[tuple[Process, str]]:
    """Run the small service; gives the process and the address of its health."""
    health = f"127.0.0.1:{free_port()}"
    environment = {
        **os.environ,
        "POSTDESK_HEALTH": health,
        "POSTDESK_CONFIG": str(DESK),
        **{f"POSTDESK_{key.upper()}": value for key, value in settings.items()},
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.bus.small_service",
        name or f"small-{uuid.uuid4().hex[:8]}",
        topic,
        mode,
        env=environment,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process, f"http://{health}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def get(url: str) -> tuple[int, bytes]:
    def ask() -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    return await asyncio.to_thread(ask)


async def until_status(url: str, status: int) -> bytes:
    async def has_it() -> bool:
        return (await get(url))[0] == status

    await until(has_it)
    return (await get(url))[1]


async def test_a_service_reads_says_that_it_is_ready_and_stops_with_0(
    kafka, mongo, new_topic
) -> None:
    topic = await new_topic(kafka)
    bus = Bus(kafka=kafka, service="tests")
    async with service(topic.name, kafka=kafka, mongo=mongo) as (process, health):
        report = json.loads(await until_status(f"{health}/readyz", 200))
        await bus.publish([a_note(topic, "hello")])
        read = await process.stdout.readline()
        _, figures = await get(f"{health}/metrics")

        process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 20)
        log = (await process.stderr.read()).decode()
    await bus.stop()

    assert (code, read) == (0, b"hello\n")
    assert {"start", "mongo", "kafka"} <= set(report["checks"])
    assert f'postdesk_records_handled_total{{topic="{topic.name}"}} 1.0' in figures.decode()
    lines = [json.loads(line) for line in log.splitlines()]
    assert lines[-1]["event"] == "stopped"
    assert "hello" not in json.dumps([line for line in lines if line["event"] != "batch"])


# Elsewhere nothing is set.
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this policy")
async def test_a_service_interrupts_nobody_with_any_of_its_threads(mongo, kafka, new_topic) -> None:
    topic = await new_topic(kafka)

    async with service(topic.name, mongo=mongo, kafka=kafka) as (process, health):
        await until_status(f"{health}/readyz", 200)
        policies = [os.sched_getscheduler(one.id) for one in psutil.Process(process.pid).threads()]

    assert len(policies) > 1
    assert set(policies) == {os.SCHED_BATCH}


async def test_a_service_waits_for_its_dependencies_says_so_and_can_be_stopped() -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    async with service(kafka=nowhere, mongo=f"mongodb://{nowhere}") as (process, health):
        alive = await until_status(f"{health}/livez", 200)
        report = json.loads(await until_status(f"{health}/readyz", 503))

        process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 20)

    assert (alive, code) == (b"ok\n", 0)
    assert report["ready"] is False


async def test_a_service_with_a_wrong_configuration_says_where_and_exits_with_2(tmp_path) -> None:
    wrong = tmp_path / "desk.yaml"
    wrong.write_text("name: Desk\nmailboxes: 7\n")

    async with service(config=str(wrong)) as (process, _):
        _, log = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 2
    assert "desk.yaml:2" in log.decode()


@pytest.mark.parametrize("mode", ["hang", "block"])
async def test_a_service_that_makes_no_progress_ends_itself_with_1(
    kafka, mongo, new_topic, mode
) -> None:
    topic = await new_topic(kafka)
    bus = Bus(kafka=kafka, service="tests")
    await bus.publish([a_note(topic, "work")])
    await bus.stop()

    async with service(topic.name, mode, kafka=kafka, mongo=mongo, stuck_s="2") as (process, _):
        _, log = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 1
    assert b"handle" in log  # the stack says where


async def test_a_service_follows_its_file_and_refuses_a_wrong_one_while_it_runs(
    kafka, mongo, new_topic, tmp_path
) -> None:
    topic = await new_topic(kafka)
    bus = Bus(kafka=kafka, service="tests")
    config = tmp_path / "desk.yaml"
    config.write_text(DESK.read_text())
    settings = {"kafka": kafka, "mongo": mongo, "config": str(config)}
    async with service(topic.name, **settings) as (process, url):
        await until_status(f"{url}/readyz", 200)

        config.write_text(DESK.read_text().replace("members: [carla", "members: [nobody"))
        refused = await until_checked(url, "not followed")
        config.write_text(DESK.read_text().replace("Nordlicht Support", "Another brand"))
        await until_logged(process, "configuration changed")
        await until_status(f"{url}/readyz", 200)
        await bus.publish([a_note(topic, "hello")])
        read = await asyncio.wait_for(process.stdout.readline(), 60)
        process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 40)
    await bus.stop()

    assert "unknown agent 'nobody@desk-team.example'" in refused
    assert (code, read) == (0, b"hello\n")


async def until_checked(url: str, words: str) -> str:
    """What the check of the configuration says, once it says that."""
    found = ""

    async def says_it() -> bool:
        nonlocal found
        _, body = await get(f"{url}/readyz")
        found = json.loads(body)["checks"].get("configuration", {}).get("detail", "")
        return words in found

    await until(says_it)
    return found


async def until_logged(process: Process, event: str) -> None:
    """Read the log up to the line that says so."""
    assert process.stderr
    async with asyncio.timeout(60):
        while event not in (await process.stderr.readline()).decode():
            pass
