"""How long and how hard a run is."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.plan import Lengths

SHORT = Lengths(pause=(3.0, 12.0), down=(4.0, 8.0), network=(3.0, 10.0), jump=(10.0, 30.0))


@dataclass(frozen=True)
class Profile:
    """``pause_s`` lies between the beginnings of two faults; ``slow_s``: the sink's late answers."""

    mails: int
    faults: int
    pause_s: tuple[float, float]
    lengths: Lengths
    slow_s: float
    storm_s: float
    """The storm has to be over by then, else the run fails."""
    rest_s: float = 300.0
    """What is left to do must be done by then; nothing that stands still is waited for so long."""
    only: tuple[str, ...] = ()
    """Faults to draw from, as `plan` takes them; none means all."""
    is_cluster: bool = False
    """Three brokers and a replica set of three; without links to break."""
    has_small_disks: bool = False
    """Kafka and MongoDB on disks that get full or fail; needs root and strace."""


PROFILES: Mapping[str, Profile] = {
    "short": Profile(
        mails=400, faults=26, pause_s=(1.0, 3.0), lengths=SHORT, slow_s=5.0, storm_s=420.0
    ),
    "full": Profile(
        mails=5000,
        faults=200,
        pause_s=(1.5, 4.5),
        lengths=Lengths(),
        slow_s=20.0,
        storm_s=3000.0,
        rest_s=1800.0,
    ),
    "cluster": Profile(
        mails=1000,
        faults=40,
        pause_s=(2.0, 6.0),
        lengths=Lengths(),
        slow_s=20.0,
        storm_s=1500.0,
        is_cluster=True,
    ),
    "disks": Profile(
        mails=150,
        faults=6,
        pause_s=(4.0, 8.0),
        lengths=SHORT,
        slow_s=5.0,
        storm_s=600.0,
        has_small_disks=True,
    ),
}
