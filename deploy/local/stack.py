"""A whole stack on one machine: Kafka, MongoDB, the local mail server and the five services."""

import asyncio
import fcntl
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import parts, ports, process
from deploy.local.configuration import load_checked
from deploy.local.errors import StackError
from deploy.local.facts import FILE, StackFacts, own_start, write
from deploy.local.keys import ensure_keys
from deploy.local.people import agents_of
from deploy.local.providers.choice import Backends, choose, no_progress
from deploy.local.providers.jars import Progress
from deploy.local.supervisor import Supervisor
from deploy.local.topics import create_topics
from shared.config import ConfigurationError, Desk

SMTP_PORT = 2525
IMAP_PORT = 1143
OUTGOING_PORT = 1025


@dataclass(frozen=True)
class Options:
    """What the user may choose; an empty address means the default, port 0 a free one."""

    state: Path
    config: Path
    smtp: str = ""
    relay: str = ""
    imap: str = ""
    kafka: str = ""
    mongo: str = ""
    demo: bool = True


@dataclass
class Stack:
    """Starts, looks after and ends everything; use it from the main thread.

    Who tests may bring ``backends``, give single services other settings (``env``, by service),
    run more than one of a service (``processes``: the second of tickets is ``tickets-2``, each
    ingest has its own door), and leave services ``late``: those begin with `launch`, which does
    not wait for them.
    """

    options: Options
    say: Callable[[str], None]
    progress: Progress = no_progress
    backends: Backends | None = None
    env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    processes: Mapping[str, int] = field(default_factory=dict)
    late: Collection[str] = ()
    supervisor: Supervisor | None = None
    facts: StackFacts | None = None
    _undo: ExitStack = field(default_factory=ExitStack)
    _programs: list[parts.Program] = field(default_factory=list)

    def start(self) -> StackFacts:
        """Return the stack's facts when everything is ready; else nothing is left running.

        Raises:
            StackError: with cause, remedy and the end of the log of what failed.
        """
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def look_after(self) -> None:
        """Start again what has ended by itself; call it a few times a second."""
        if self.supervisor and self.facts and self.supervisor.look_after():
            self.publish()

    def launch(self, names: Collection[str]) -> None:
        """Start services that were left late; it is not waited for."""
        for program in self._programs:
            if program.name in names and self.supervisor:
                program.launch()
                self.supervisor.watch(program)
        self.publish()

    def child(self, name: str) -> process.Child:
        """Return the process of a part as it is now; raises KeyError for one that is not ours."""
        programs = {program.name: program.child for program in self._programs}
        servers = [self.backends.kafka, self.backends.mongo] if self.backends else []
        own = {server.name: getattr(server, "child", None) for server in servers}
        child = {**own, **programs}[name]
        if child is None:
            raise KeyError(name)
        return child

    def publish(self) -> None:
        """Write down what is known now, for the other commands."""
        if self.facts and self.backends:
            own = {p.name: p.child.pid for p in self._programs if p.child}
            self.facts.pids = {**self.backends.kafka.pids, **self.backends.mongo.pids, **own}
            write(self.facts)

    def stop(self) -> None:
        """End everything in order; state stays. Harmless when done twice."""
        if self.facts:
            (Path(self.facts.state_dir) / FILE).unlink(missing_ok=True)
        self._undo.close()

    def _start(self) -> StackFacts:
        state = self.options.state.resolve()
        self._lock(state)
        desk = _load(self.options.config)
        keys = ensure_keys(state / "keys.json")
        smtp = _listen(self.options.smtp, SMTP_PORT, "--smtp")
        backends = self._start_backends(state)
        facts = StackFacts(
            smtp=smtp,
            relay=self.options.relay,
            kafka=backends.kafka.address,
            mongo=backends.mongo.address,
            metrics={},
            mailboxes=[box.address for box in desk.mailboxes],
            agents=agents_of(desk, keys),
            state_dir=str(state),
            config=str(self.options.config.resolve()),
            providers={"kafka": backends.kafka.kind, "mongo": backends.mongo.kind},
            pid=os.getpid(),
            started_at=own_start(),
        )
        self._start_programs(facts, keys)
        self._supervise(backends)
        self.facts = facts
        self.publish()
        return facts

    def _start_backends(self, state: Path) -> Backends:
        given = self.options
        backends = self.backends or choose(
            state, kafka=given.kafka, mongo=given.mongo, progress=self.progress
        )
        self._undo.callback(backends.stop)
        backends.start()
        self.backends = backends
        asyncio.run(create_topics(backends.kafka.address))
        self.say(f"Kafka ({backends.kafka.kind}) and MongoDB ({backends.mongo.kind}) are ready")
        return backends

    def _start_programs(self, facts: StackFacts, keys: Path) -> None:
        state = Path(facts.state_dir)
        relayed = bool(facts.relay)
        if not relayed:
            facts.imap = _listen(self.options.imap, IMAP_PORT, "--imap")
            facts.outgoing = facts.relay = _listen("", OUTGOING_PORT, "--relay")
        env = {
            "POSTDESK_KAFKA": facts.kafka,
            "POSTDESK_MONGO": facts.mongo,
            "POSTDESK_CONFIG": facts.config,
            "POSTDESK_KEYS": str(keys),
            "POSTDESK_SMTP": facts.smtp,
            "POSTDESK_RELAY": facts.relay,
        }
        for name in parts.SERVICES:
            for number in range(1, self.processes.get(name, 1) + 1):
                own = {**self.env.get(name, {}), **_own_door(name, number, facts)}
                endpoint = f"{ports.LOOPBACK}:{ports.free_port()}"
                program = parts.service(name, state, {**env, **own}, endpoint, number=number)
                facts.metrics[program.name] = f"http://{endpoint}/metrics"
                self._programs.append(program)
        if not relayed:
            mail = parts.mail_server(
                state,
                desk=facts.smtp,
                outgoing=facts.outgoing,
                imap=facts.imap,
                mailboxes=facts.mailboxes,
            )
            self._programs.append(mail)
        self._undo.callback(parts.stop, self._programs)
        for program in self._first:
            program.launch()
        for program in self._first:
            program.wait_ready()

    @property
    def _first(self) -> list[parts.Program]:
        return [program for program in self._programs if program.name not in self.late]

    def _supervise(self, backends: Backends) -> None:
        self.supervisor = self.supervisor or Supervisor(self.say)
        self.supervisor.watch(backends.kafka)
        self.supervisor.watch(backends.mongo)
        for program in self._first:
            self.supervisor.watch(program)

    def _lock(self, state: Path) -> None:
        try:
            state.mkdir(parents=True, exist_ok=True)
            file = self._undo.enter_context((state / "up.lock").open("w"))
        except OSError as error:
            remedy = "choose a folder of yours with --state-dir."
            raise StackError(f"{state}: {error.strerror}.", remedy=remedy) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StackError(
                f"A stack is running already with the state folder {state}.",
                remedy="'postdesk down' ends it; a second one needs its own --state-dir.",
            ) from error


def _own_door(service: str, number: int, facts: StackFacts) -> dict[str, str]:
    """Return where a further process of ingest listens; nothing for any other process."""
    if service != "ingest" or number == 1:
        return {}
    facts.more_doors.append(f"{ports.LOOPBACK}:{ports.free_port()}")
    return {"POSTDESK_SMTP": facts.more_doors[-1]}


def _load(config: Path) -> Desk:
    try:
        return load_checked(config).desk
    except ConfigurationError as error:
        remedy = "correct the file; 'postdesk config check FILE' tells whether it is right."
        raise StackError(f"The configuration cannot be used.\n{error}", remedy=remedy) from error


def _listen(wanted: str, default_port: int, option: str) -> str:
    """Choose where to listen: as wanted, else at the default port, else at a free one."""
    if not wanted:
        free = ports.is_free(ports.LOOPBACK, default_port)
        return f"{ports.LOOPBACK}:{default_port if free else ports.free_port()}"
    try:
        host, port = ports.split_address(wanted)
    except ValueError as error:
        raise StackError(f"{option}: {error}.", remedy="for example 127.0.0.1:2525.") from error
    if port and not ports.is_free(host, port):
        remedy = f"end it, or choose another address with {option}; port 0 takes a free one."
        raise StackError(f"Somebody listens at {wanted} already.", remedy=remedy)
    return f"{host}:{port or ports.free_port()}"
