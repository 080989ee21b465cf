"""One create, followed through every process by its trace; and what the logs say of it, and do not say."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.kit.traced_requests import TRACE_HEADER
from tests.acceptance.program import pipeloom_at
from tests.acceptance.sources import FUNCTION_PATH, make_repository
from tests.acceptance.stack import Stack, open_stack
from tests.acceptance.tenant import ANSWER_S, API, NO_TLS
from tests.support.installation import Member, new_member
from tests.support.servers import Servers
from tests.support.services import eventually

Span = dict[str, Any]

CALLER = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLERS_SPAN = "00f067aa0ba902b7"
SECRET = "correct-horse-battery-staple"


@dataclass
class Traced:
    """A product that writes its spans into a file, with a user of it."""

    stack: Stack
    member: Member
    http: httpx.AsyncClient
    file: Path
    secrets: list[str] = field(default_factory=list)

    def spans(self, trace_id: str) -> list[Span]:
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [span for span in map(json.loads, lines) if trace_id in _traces(span)]

    async def until_named(self, trace_id: str, *names: str) -> list[Span]:
        """Return the spans of a trace, and those linked to it, once they have all of `names`."""
        await eventually(lambda: {span["name"] for span in self.spans(trace_id)} >= set(names))
        return self.spans(trace_id)


def _traces(span: Span) -> set[str]:
    return {span["trace_id"], *(link["trace_id"] for link in span["links"])}


@pytest.fixture(scope="module")
async def traced(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traced]:
    folder = tmp_path_factory.mktemp("traced")
    file = folder / "traces.jsonl"
    more = {
        "PIPELOOM_TRACING__EXPORTER": "file",
        "PIPELOOM_TRACING__FILE": str(file),
        "PIPELOOM_HTTP__LOG_REQUESTS": "true",
        "PIPELOOM_LOG_FORMAT": "json",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    async with (
        open_stack(servers, folder, more) as stack,
        httpx.AsyncClient(base_url=stack.url + API, timeout=ANSWER_S, verify=NO_TLS) as http,
    ):
        member = await new_member(stack.postgres)
        refreshed = await http.post("/auth/refresh", json={"refresh_token": member.sdk_token})
        token = refreshed.json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield Traced(stack, member, http, file, [token, member.sdk_token, SECRET])


@pytest.fixture(scope="module")
async def step(traced: Traced) -> httpx.Response:
    """The answer to the request that created the step `train`, which is Ready."""
    repository = traced.stack.data_dir / "sources"
    make_repository(repository)
    body = {
        "step_name": "train",
        "function_path": FUNCTION_PATH,
        "function_name": "constant",
        "container_config": {"repository_url": str(repository)},
    }
    asked = await traced.http.post("/steps", json=body)
    assert asked.status_code == 206, asked.text
    built = await traced.http.get("/steps/train", params={"wait_for_completion": True})
    assert built.json()["creation_info"]["status"] == "Ready", built.text
    return asked


def one(spans: list[Span], name: str, service: str) -> Span:
    (found,) = (span for span in spans if (span["name"], span["service"]) == (name, f"pipeloom-{service}"))
    return found


async def test_one_trace_shows_every_hop_of_a_create(traced: Traced, step: httpx.Response) -> None:
    # Given a caller that is in a trace of its own
    headers = {"traceparent": f"00-{CALLER}-{CALLERS_SPAN}-01"}
    commands, events = (f"publish {traced.stack.kafka.topic_prefix}.{topic}" for topic in ("commands", "events"))
    # When
    body = {"pipeline_name": "churn", "step_names": ["train"]}
    created = await traced.http.post("/pipelines", json=body, headers=headers)
    # Then
    assert (created.status_code, created.headers[TRACE_HEADER]) == (201, CALLER)
    names = ("POST /api/v1/pipelines", commands, "decide PipelineRequested", "save", "batch", events, "result")
    spans = await traced.until_named(CALLER, *names, "relay batch")
    request, published = one(spans, names[0], "gateway"), one(spans, commands, "gateway")
    decided, told = one(spans, names[2], "composer"), one(spans, events, "relay")
    own = [span for span in spans if span["trace_id"] == CALLER]
    assert {span["name"]: span["parent_id"] for span in own} == {
        names[0]: CALLERS_SPAN,
        commands: request["span_id"],
        "result": request["span_id"],
        "decide PipelineRequested": published["span_id"],
        "save": decided["span_id"],
        events: published["span_id"],
    }
    place = {"trace_id": CALLER, "span_id": published["span_id"]}
    for each, batch in ((decided, one(spans, "batch", "composer")), (told, one(spans, "relay batch", "relay"))):
        assert place in batch["links"]
        assert each["links"] == [{"trace_id": batch["trace_id"], "span_id": batch["span_id"]}]
    assert request["attributes"]["http.response.status_code"] == 201
    assert decided["attributes"]["pipeloom.result"] == told["attributes"]["pipeloom.event_type"] == "PipelineCreated"
    assert one(spans, "result", "gateway")["attributes"]["pipeloom.released_by"] in {"hint", "topic"}


async def test_the_trace_of_a_step_goes_on_through_its_build(traced: Traced, step: httpx.Response) -> None:
    trace_id = step.headers[TRACE_HEADER]
    names = ("decide StepRequested", "build", "decide StepBuildReported")
    spans = await traced.until_named(trace_id, *names)
    build = one(spans, "build", "builder")
    assert build["attributes"]["pipeloom.outcome"] == "ready"
    (report,) = (span for span in spans if span["parent_id"] == build["span_id"])
    assert one(spans, "decide StepBuildReported", "composer")["parent_id"] == report["span_id"]


async def test_the_program_shows_a_trace_as_a_tree(traced: Traced, step: httpx.Response) -> None:
    trace_id = step.headers[TRACE_HEADER]
    await traced.until_named(trace_id, "decide StepBuildReported")
    shown = await pipeloom_at(traced.stack, traced.member.sdk_token)("trace", str(traced.file), trace_id)
    assert (shown.code, shown.stderr) == (0, "")
    assert re.search(
        r"── POST /api/v1/steps  \[pipeloom-gateway\]  \+0\.0 ms, took [0-9.]+ ms  status=206", shown.stdout
    )
    assert "── build  [pipeloom-builder]" in shown.stdout


async def test_the_lines_of_a_request_name_it_and_hold_no_secret(traced: Traced, step: httpx.Response) -> None:
    # Given
    variables = {"environment_variables": {"KEY": SECRET}}
    set_to = await traced.http.put("/environment-variables", json=variables)
    assert set_to.is_success, set_to.text
    # When
    logs = {path.name: path.read_text() for path in (traced.stack.data_dir / "logs").iterdir()}
    # Then
    lines = [json.loads(line) for text in logs.values() for line in text.splitlines() if line.startswith("{")]
    of_trace = [line for line in lines if line.get("trace_id") == step.headers[TRACE_HEADER]]
    assert {line["event"] for line in of_trace} == {"a request was answered", "step built"}
    for line in of_trace:
        assert line["command_id"] == step.headers["Pipeloom-Command-Id"]
        assert line["environment"] == traced.member.environment
    everything = "\n".join([*logs.values(), traced.file.read_text(), traced.stack.output_file.read_text()])
    assert [secret for secret in traced.secrets if secret in everything] == []
