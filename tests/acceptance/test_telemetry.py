"""What operators see of a running `pipeloom up`: metrics that say nothing of users' data, and one screen of health."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.samples import Sample

from events.commands import COMMANDS
from events.refusals import Code, FailureCode
from events.results import RESULTS
from pipeloom.local.admin import read_addresses
from services.kit.http_metrics import METHODS
from tests.acceptance.program import NOBODY, Pipeloom
from tests.acceptance.records import GOOD_VALUE
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import API, Tenant
from tests.support.metrics import OF_PROMETHEUS, is_elsewhere, queries
from tests.support.openapi import DOCUMENT
from tests.support.promql import read_query

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OPEN_METRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}
SERIES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
PARTS = (
    r"kafka|postgres|batches|builds|event feed|partition ownership|(commands|events) topic|kafka (producer|consumer)"
)


def one_of(*known: str) -> Callable[[str], bool]:
    return lambda value: value in known


def matching(pattern: str) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value) is not None


def is_template(value: str) -> bool:
    return value in {"other", "/docs"} or API + value in json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]


ALLOWED: Mapping[str, Callable[[str], bool]] = {
    "method": one_of(*METHODS, "other"),
    "status": matching(r"\d{3}|none"),
    "type": one_of(*COMMANDS, *RESULTS, "CommandOverdue", "CommandRecovered", "unknown"),
    "outcome": one_of("done", "accepted", "refused", "unknown", "shed", "repeated", "unusable", "ready", "failed"),
    "code": one_of("", *(code.value for code in Code), *(code.value for code in FailureCode)),
    "phase": one_of("load", "decide", "save"),
    "partition": matching(r"\d*"),
    "ending": one_of("token_expired", "shutting_down", "too_slow", "history_pruned"),
    "table": one_of("event_log", "inbox"),
    "client": matching(r"(commands|events) (producer|consumer)|command producer|event feed"),
    "kind": one_of("timeout", "connection", "statement", "commands", "lists", "streams", "long polls"),
    "state": one_of("idle", "used"),
    "part": matching(rf"{PARTS}|partition \d+|\w+"),
    "topic": matching(r"[\w.-]+"),
    "what": matching(r"[\w ]{1,40}"),
    "reason": matching(r"[\w ]{1,40}"),
    "result": matching(r"\w+"),
    "route": is_template,
    "le": matching(r"[0-9.e-]+|\+Inf"),
}


class Told:
    """What the processes of a stack tell."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.text = "\n".join(texts.values())
        self.processes = set(texts)
        families = [
            family
            for text in texts.values()
            for family in open_metrics(text)  # type: ignore[no-untyped-call]
        ]
        self.names = {family.name + suffix for family in families for suffix in SERIES.get(family.type, ("",))}
        self.samples: list[Sample] = [sample for family in families for sample in family.samples]


async def scraped(stack: Stack) -> Told:
    addresses = read_addresses(stack.data_dir / "admin.json")
    async with httpx.AsyncClient(trust_env=False, headers=OPEN_METRICS) as http:
        answers = {name: await http.get(f"{url}/metrics") for name, url in addresses.items()}
    return Told({name: answer.text for name, answer in answers.items()})


async def ask_for_all_sorts(tenant: Tenant) -> None:
    """Do well, be refused, repeat, not wait, make names, paths, methods and records up."""
    assert await tenant.create_step("unmistakable") == "Ready"
    traced = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "Idempotency-Key": "unmistakable"}
    for _ in range(2):
        assert (await tenant.create_pipeline("unmistakable", "unmistakable", **traced)).status_code == 201
    assert (await tenant.create_pipeline("unmistakable", "unmistakable")).status_code == 409
    assert (await tenant.create_pipeline("b", "unmistakable", Prefer="respond-async")).status_code == 202
    async with httpx.AsyncClient(base_url=str(tenant.http.base_url)) as stranger:
        await stranger.get("/unmistakable/path")
        await stranger.get("/steps/unmistakable")
        await stranger.request("UNMISTAKABLE", "/steps")
    await tenant.put(GOOD_VALUE, [("ce_type", b"unmistakable.v1"), ("ce_environment", tenant.environment.encode())])
    async with tenant.http.stream("GET", "/events") as stream:
        assert stream.status_code == 200
    await tenant.history()


async def test_metrics_tell_what_happens_and_nothing_of_users_data(stack: Stack, tenant: Tenant) -> None:
    # When
    await ask_for_all_sorts(tenant)
    told = await scraped(stack)
    # Then every process tells, and no label says what a user can choose
    assert told.processes >= {"gateway", "composer", "relay", "builder"}
    ours = [sample for sample in told.samples if sample.name.startswith("pipeloom_")]
    odd = {(label, value) for sample in ours for label, value in sample.labels.items() if not ALLOWED[label](value)}
    assert odd == set()
    assert not [word for word in ("unmistakable", tenant.environment) if word.lower() in told.text.lower()]
    # And it is counted
    counted = {(sample.name, *sorted(sample.labels.items())) for sample in ours if sample.value}
    for sample in (
        ("pipeloom_http_requests_total", ("method", "POST"), ("route", "/pipelines"), ("status", "409")),
        ("pipeloom_commands_total", ("code", "pipeline_exists"), ("outcome", "refused"), ("type", "PipelineRequested")),
        ("pipeloom_commands_total", ("code", ""), ("outcome", "accepted"), ("type", "PipelineRequested")),
        ("pipeloom_command_repeats_total",),
        ("pipeloom_composer_refusals_total", ("code", "pipeline_exists")),
        ("pipeloom_composer_dead_letters_total", ("code", "missing_attribute")),
        ("pipeloom_relay_published_total", ("type", "PipelineCreated")),
        ("pipeloom_builder_builds_total", ("code", ""), ("outcome", "ready")),
    ):
        assert sample in counted
    # And a latency leads to its trace
    traces = [sample.exemplar.labels["trace_id"] for sample in ours if sample.exemplar]
    assert TRACE in traces


async def test_dashboard_and_alerts_ask_for_what_a_running_stack_tells(stack: Stack) -> None:
    told = await scraped(stack)
    asked = [text for _, text in queries()]
    asked_for = {name for text in asked for name in read_query(text).metrics} - {"up"}
    assert {name for name in asked_for - told.names if not is_elsewhere(name)} == set()
    labels = {label for sample in told.samples for label in sample.labels} | OF_PROMETHEUS
    here = [query for query in map(read_query, asked) if not any(map(is_elsewhere, query.metrics))]
    assert {label for query in here for label in query.grouped_by} <= labels | {"ending", "client"}


async def test_a_stack_that_is_well_has_a_status_of_0(stack: Stack, tenant: Tenant, pipeloom: Pipeloom) -> None:
    assert await tenant.create_step("train") == "Ready"
    ended = await pipeloom("status", "--data-dir", str(stack.data_dir), "--json")
    assert ended.code == 0, ended.stdout + ended.stderr
    told = json.loads(ended.stdout)
    assert {process["name"] for process in told["processes"]} >= {"gateway", "composer", "relay", "builder"}
    assert told["commands"]["p99_s"] > 0
    assert None not in told["lags"].values()

    screen = await pipeloom("status", "--data-dir", str(stack.data_dir))
    assert (screen.code, screen.stderr) == (0, "")
    assert "Pipeloom is ready" in screen.stdout


async def test_a_process_that_does_not_answer_makes_it_1(stack: Stack, pipeloom: Pipeloom) -> None:
    gateway = read_addresses(stack.data_dir / "admin.json")["gateway"]
    ended = await pipeloom("status", "--admin", f"gateway={gateway}", "--admin", f"relay={NOBODY}")
    assert ended.code == 1
    assert f"{NOBODY} does not answer" in ended.stdout


@pytest.mark.parametrize("words", [[], ["--json"]])
async def test_a_watched_status_ends_by_ctrl_c_without_a_word(stack: Stack, words: list[str]) -> None:
    # Given
    command = [sys.executable, "-m", "pipeloom", "status", "--data-dir", str(stack.data_dir)]
    watching = await asyncio.create_subprocess_exec(
        *command, "--watch", "--interval", "0.2", *words, stdout=-1, stderr=-1, env=_quiet_environment()
    )
    assert watching.stdout
    assert watching.stderr
    async with asyncio.timeout(30):
        first = await watching.stdout.readline()
        # When
        watching.send_signal(signal.SIGINT)
        _, said = await watching.communicate()
    # Then
    assert first
    assert (watching.returncode, said) == (0, b"")


def _quiet_environment() -> dict[str, Any]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PIPELOOM_")}
