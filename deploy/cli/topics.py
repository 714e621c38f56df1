"""``postdesk topics``: the topics, how far they are written, and how far each group has read."""

import asyncio

import typer

from deploy.cli.output import STATE, AsJSON, StateDir, print_json, print_table, shows_errors
from deploy.local import facts
from deploy.local.offsets import TopicState, topic_states


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(topics)


@shows_errors
def topics(
    state_dir: StateDir = STATE,
    every: bool = typer.Option(False, "--all", help="Empty dead-letter topics too."),
    as_json: AsJSON = False,
) -> None:
    """Show each topic with partitions, records ever written and the lag of its readers."""
    running = facts.running(state_dir.resolve())
    states = asyncio.run(topic_states(running.kafka))
    if as_json:
        print_json([state.shown() for state in states])
        return
    shown = [s for s in states if every or s.records or not s.name.endswith("-dlq")]
    print_table(("topic", "partitions", "written", "lag of readers"), map(_row, shown))


def _row(state: TopicState) -> tuple[str, int, int, str]:
    lag = ", ".join(f"{group} {lag}" for group, lag in sorted(state.lag.items()))
    return state.name, state.partitions, sum(state.end_offsets.values()), lag
