"""What the rules and the dashboard of ``deploy/monitoring`` ask Prometheus for."""

import json
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(__file__).parents[1] / "deploy" / "monitoring"
RULES = FOLDER / "rules.yml"
DASHBOARD = FOLDER / "dashboard.json"

_STRINGS = re.compile(r'"[^"]*"')
_METRICS = re.compile(r"\b(?:postdesk_\w+|process_\w+|up\b)")


def alerts() -> list[dict[str, Any]]:
    """All alerts."""
    return [rule for rule in _rules() if "alert" in rule]


def expressions() -> list[str]:
    """Every query of a rule or a panel."""
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    targets = [target for panel in dashboard["panels"] for target in panel["targets"]]
    return [one["expr"] for one in (*_rules(), *targets)]


def metrics_in(expression: str) -> set[str]:
    """Names of the metrics in a query; not those that other rules record, which have colons."""
    return set(_METRICS.findall(_STRINGS.sub("", expression)))


def _rules() -> list[dict[str, Any]]:
    groups = YAML(typ="safe").load(RULES)["groups"]
    return [rule for group in groups for rule in group["rules"]]
