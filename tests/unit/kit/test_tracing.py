"""Spans: none and no SDK when tracing is off; never in anybody's way when it is on."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs

from services.kit import trace_lines
from services.kit.settings import TracingSettings
from services.kit.trace_lines import LineExporter, append_to
from services.kit.trace_sdk import FLUSH_S
from services.kit.tracing import context_of, current_traceparent, is_on, span, trace_id_of, tracing
from tests.support.spans import parent, place, recorded_spans

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN = f"00-{TRACE}-00f067aa0ba902b7-01"
UNSAMPLED = f"00-{TRACE}-00f067aa0ba902b7-00"
WITHOUT_SDK = """
import sys
import services.gateway.__main__, services.composer.service, services.relay.service, services.builder.service
from services.kit.settings import TracingSettings
from services.kit.tracing import tracing
with tracing(TracingSettings(), "gateway"):
    print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
"""


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_no_process_loads_the_sdk_unless_it_exports() -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT_SDK], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


def test_a_span_that_nobody_wants_makes_nothing() -> None:
    assert not is_on()
    assert span("one") is span("other")
    with span("one") as opened:
        assert not opened.is_recording()


@pytest.mark.parametrize("given", [GIVEN, UNSAMPLED, f"01-{TRACE}-00f067aa0ba902b7-01-more"])
def test_without_tracing_what_a_caller_gave_is_passed_on(given: str) -> None:
    assert (current_traceparent(given), trace_id_of(given)) == (given, TRACE)


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "00-trace",
        GIVEN.upper(),
        f"{GIVEN}-more",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-00f067aa0ba902b7",
        f"{GIVEN},{GIVEN}",
        "x" * 3000,
    ],
)
def test_a_traceparent_that_is_none_is_ignored(given: str | None) -> None:
    assert (context_of(given), current_traceparent(given), trace_id_of(given)) == (None, None, None)
    with recorded_spans() as spans, span("own", parent=context_of(given)):
        pass
    assert parent(spans.one("own")) is None


def test_with_tracing_the_place_of_the_own_span_is_passed_on() -> None:
    with recorded_spans() as spans, span("own", parent=context_of(GIVEN)):
        passed_on = current_traceparent(GIVEN)
    trace_id, span_id = place(spans.one("own"))
    assert passed_on == f"00-{trace_id:032x}-{span_id:016x}-01"
    assert f"{trace_id:032x}" == TRACE


def test_a_span_tells_which_error_ended_it_and_nothing_of_what_it_said() -> None:
    with recorded_spans() as spans, pytest.raises(ValueError, match="secret"), span("own"):
        raise ValueError("a secret")
    told = spans.one("own")
    assert (told.status.status_code, dict(told.attributes or {})) == (StatusCode.ERROR, {"error.type": "ValueError"})
    assert "secret" not in told.to_json()


def test_a_file_has_a_line_for_each_span_once_the_service_has_ended(tmp_path: Path) -> None:
    # Given
    settings = TracingSettings(exporter="file", file=tmp_path / "new" / "traces.jsonl")
    # When
    with (
        tracing(settings, "composer"),
        span("outer", SpanKind.SERVER, parent=context_of(GIVEN), attributes={"n": 1}),
        span("inner"),
    ):
        pass
    # Then
    inner, outer = lines(settings.file)
    assert (outer["trace_id"], outer["parent_id"], outer["kind"]) == (TRACE, "00f067aa0ba902b7", "server")
    assert (outer["service"], outer["attributes"], outer["status"]) == ("pipeloom-composer", {"n": 1}, "unset")
    assert (inner["name"], inner["parent_id"]) == ("inner", outer["span_id"])
    assert not is_on()


def test_spans_of_several_processes_share_a_file(tmp_path: Path) -> None:
    for service in ("composer", "relay"):
        with tracing(TracingSettings(exporter="file", file=tmp_path / "traces"), service), span("own"):
            pass
    assert [line["service"] for line in lines(tmp_path / "traces")] == ["pipeloom-composer", "pipeloom-relay"]


@pytest.mark.parametrize(("given", "kept"), [(None, 0), (UNSAMPLED, 0), (GIVEN, 1)])
def test_a_share_of_the_own_traces_is_kept_and_all_that_a_caller_keeps(
    tmp_path: Path, given: str | None, kept: int
) -> None:
    settings = TracingSettings(exporter="file", file=tmp_path / "traces", sample_ratio=0)
    with tracing(settings, "relay"), span("own", parent=context_of(given)):
        passed_on = current_traceparent(None)
    assert passed_on is not None
    assert int(passed_on[-2:], 16) & 1 == kept
    assert (tmp_path / "traces").exists() == bool(kept)


def test_the_own_variables_of_opentelemetry_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ours")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    with tracing(TracingSettings(exporter="file", file=tmp_path / "off"), "relay"), span("own"):
        pass
    monkeypatch.delenv("OTEL_TRACES_SAMPLER")
    with tracing(TracingSettings(exporter="file", file=tmp_path / "on"), "relay"), span("own"):
        pass
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    with tracing(TracingSettings(exporter="file", file=tmp_path / "disabled"), "relay"):
        assert not is_on()
    assert [each.name for each in tmp_path.iterdir()] == ["on"]
    assert lines(tmp_path / "on")[0]["service"] == "ours"


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A collector's address, and each path with the body that was sent to it."""
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()


def test_a_collector_gets_what_waited_when_the_service_ends(
    collector: tuple[str, list[tuple[str, bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, received = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with tracing(TracingSettings(exporter="otlp"), "relay"), span("own"):
        pass
    ((path, body),) = received
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert path == "/v1/traces"
    assert [each.name for each in resource.scope_spans[0].spans] == ["own"]
    told = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert (told["service.name"], told["service.namespace"]) == ("pipeloom-relay", "pipeloom")


@pytest.fixture
def silent_collector() -> Iterator[str]:
    """A collector that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_collector_that_hangs_holds_up_neither_the_service_nor_its_end(
    silent_collector: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", silent_collector)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "4")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "512")
    begun = time.monotonic()
    # When
    with capture_logs() as logged, tracing(TracingSettings(exporter="otlp"), "gateway"):
        for _ in range(2000):
            with span("own"):
                pass
        worked_s = time.monotonic() - begun
    # Then
    assert worked_s < FLUSH_S
    assert time.monotonic() - begun < worked_s + 2 * FLUSH_S
    assert [line["event"] for line in logged] == ["spans were left behind: they could not be exported in time"]


@pytest.fixture
def ended() -> ReadableSpan:
    with recorded_spans() as spans, span("own"):
        pass
    return spans.one("own")


def test_what_cannot_be_written_is_lost_and_told(tmp_path: Path, ended: ReadableSpan) -> None:
    (tmp_path / "file").touch()
    with capture_logs() as logged:
        LineExporter(append_to(tmp_path / "file" / "traces")).export([ended])
    assert [(line["event"], line["spans"]) for line in logged] == [("spans could not be written; they are lost", 1)]


def test_a_file_does_not_grow_for_ever(tmp_path: Path, ended: ReadableSpan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_lines, "MAX_FILE_BYTES", 1000)
    exporter = LineExporter(append_to(tmp_path / "traces"))
    with capture_logs() as logged:
        for _ in range(20):
            exporter.export([ended])
    assert (tmp_path / "traces").stat().st_size <= 1000
    assert "move it away" in logged[0]["error"]
