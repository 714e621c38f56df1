"""The files for Prometheus and Grafana: whole, and about the same things."""

import json

from ruamel.yaml import YAML

from tests.monitoring import DASHBOARD, RULES, alerts, expressions, metrics_in


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for rule in alerts():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}, rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
        assert rule["annotations"]["action"], rule["alert"]


def test_every_alert_has_a_unit_test() -> None:
    tests = (RULES.parent / "rules.test.yml").read_text(encoding="utf-8")

    assert [rule["alert"] for rule in alerts() if rule["alert"] not in tests] == []


def test_the_panels_have_room_and_a_query_each() -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in dashboard["panels"]]

    assert len(set(places)) == len(places)
    assert all(target["expr"] for p in dashboard["panels"] for target in p["targets"])


def test_all_services_are_scraped_with_the_label_that_the_rules_need() -> None:
    config = YAML(typ="safe").load(RULES.parent / "prometheus.yml")
    targets = config["scrape_configs"][0]["static_configs"]

    assert [t["labels"]["service"] for t in targets] == [
        "ingest", "tickets", "sla", "notify", "reports",
    ]  # fmt: skip
    assert [t["targets"] for t in targets] == [[f"{t['labels']['service']}:9100"] for t in targets]


def test_names_of_metrics_are_found_in_expressions() -> None:
    found = metrics_in('sum by (service) (rate(postdesk_a_total{state="postdesk_b"}[5m])) > up')

    assert found == {"postdesk_a_total", "up"}
    assert len(expressions()) > 20
