"""Every metric that the code defines, and the queries that are made of them."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from services.kit.metrics import Exposed

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
DASHBOARD = ROOT / "deploy/grafana/pipeloom.json"
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}
# How the metrics of services begin that an installation of the code may not have.
PREFIXES = {"webhooks": ("pipeloom_webhook",), "monitor": ("pipeloom_monitor_", "pipeloom_part_behind_")}
# What Prometheus itself adds to every series.
OF_PROMETHEUS = {"job", "instance"}


def load_all() -> None:
    """Import every module that defines metrics."""
    for file in (ROOT / "services").rglob("*.py"):
        if file.stem in {"metrics", "http_metrics", "pools", "loop_lag"}:
            importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def families() -> dict[str, tuple[str, set[str]]]:
    """Return family → its type and its labels, of all that our code defines."""
    load_all()
    found: dict[str, tuple[str, set[str]]] = {}
    for family in Exposed({"kafka": None}).collect():
        labels = {label for sample in family.samples for label in sample.labels}
        found[family.name] = (family.type, labels - {"le"})
    for collector in set(REGISTRY._collector_to_names):
        if isinstance(collector, MetricWrapperBase):
            (family,) = collector.describe()
            found[family.name] = (family.type, set(collector._labelnames))
    return found


def series(told: dict[str, tuple[str, set[str]]]) -> dict[str, set[str]]:
    """Return the names that queries may use, with their labels."""
    names: dict[str, set[str]] = {"up": set()}
    for name, (kind, labels) in told.items():
        for suffix in SUFFIXES.get(kind, ("",)):
            names[name + suffix] = labels | OF_PROMETHEUS | ({"le"} if suffix == "_bucket" else set())
    names["up"] = set(OF_PROMETHEUS)
    return names


def is_elsewhere(name: str) -> bool:
    """Tell whether a metric belongs to a service that is not here."""
    absent = [prefixes for service, prefixes in PREFIXES.items() if not (ROOT / "services" / service).exists()]
    return name.startswith(tuple(prefix for prefixes in absent for prefix in prefixes))


def alerts() -> list[dict[str, Any]]:
    """Return the alert rules."""
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Return the panels of the dashboard, without the rows."""
    return [panel for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"] if panel["type"] != "row"]


def queries() -> Iterator[tuple[str, str]]:
    """Give every query with the name of what it is for."""
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]
