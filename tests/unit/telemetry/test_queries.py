"""Every query of the dashboard and the alerts asks for what there is."""

import re

import pytest

from tests.support.metrics import OF_PROMETHEUS, alerts, families, is_elsewhere, panels, queries, series
from tests.support.promql import read_query
from tests.unit.docs.markdown import ROOT, Page

OPERATIONS = "docs/guides/operations.md"
QUERIES = [pytest.param(query, id=name) for name, query in queries()]


@pytest.mark.parametrize("text", QUERIES)
def test_a_query_asks_for_metrics_and_labels_that_the_code_defines(text: str) -> None:
    known, query = series(families()), read_query(text)
    assert query.metrics
    if any(map(is_elsewhere, query.metrics)):
        return
    assert {name for name in query.metrics if name not in known} == set()
    assert {name: labels - known[name] for name, labels in query.metrics.items() if labels - known[name]} == {}
    assert query.grouped_by <= set().union(*(known[name] for name in query.metrics))


@pytest.mark.parametrize("panel", [pytest.param(panel, id=panel["title"]) for panel in panels()])
def test_a_legend_names_labels_that_its_query_leaves(panel: dict[str, list[dict[str, str]]]) -> None:
    known = series(families())
    for target in panel["targets"]:
        query = read_query(target["expr"])
        if any(map(is_elsewhere, query.metrics)):
            return
        left = query.grouped_by or set().union(*(known[name] for name in query.metrics))
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= left


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule["alert"]) for rule in alerts()])
def test_an_alert_leads_to_a_section_that_says_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    path, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert path == OPERATIONS
    assert anchor in Page(ROOT / path).anchors()
    assert rule["labels"]["severity"] in {"page", "ticket"}


@pytest.mark.parametrize(
    ("text", "metrics", "grouped_by"),
    [
        ('up{job="x"} == 0', {"up": {"job"}}, set()),
        ("sum by (a, b) (rate(c_total[5m])) > 1e3", {"c_total": set()}, {"a", "b"}),
        ("histogram_quantile(0.99, sum by (le) (rate(h_bucket[$__rate_interval])))", {"h_bucket": set()}, {"le"}),
        ('x{a=~"b.*",c!="d{}"} unless on (a) y', {"x": {"a", "c"}, "y": set()}, {"a"}),
        ("max(z) without (a)", {"z": set()}, {"a"}),
    ],
)
def test_the_names_in_a_query_are_found(text: str, metrics: dict[str, set[str]], grouped_by: set[str]) -> None:
    query = read_query(text)
    assert (dict(query.metrics), query.grouped_by) == (metrics, grouped_by)


@pytest.mark.parametrize("text", ["frobnicate(x)", "x ; y"])
def test_what_cannot_be_read_in_a_query_is_a_fault(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        read_query(text)


def test_every_metric_is_in_the_guide_and_the_other_way_round() -> None:
    text = Page(ROOT / OPERATIONS).section("The metrics")
    told = set(re.findall(r"^\| `(pipeloom_\w+)`", text, re.MULTILINE))
    ours = {name + ("_total" if kind == "counter" else "") for name, (kind, _) in families().items()}
    assert {name for name in told if not is_elsewhere(name)} == {name for name in ours if name.startswith("pipeloom_")}


def test_no_metric_has_a_label_that_whoever_asks_can_choose_freely() -> None:
    allowed = {
        "method", "route", "status", "type", "outcome", "code", "phase", "partition", "ending", "client", "kind",
        "state", "part", "topic", "reason", "result", "what", "table",
    }  # fmt: skip
    ours = {name: labels for name, (_, labels) in families().items() if name.startswith("pipeloom_")}
    assert {name: labels - allowed - OF_PROMETHEUS for name, labels in ours.items() if labels - allowed} == {}
