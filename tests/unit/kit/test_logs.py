"""Log lines: what each says, how often the same one is said, and what none may say."""

import json
import logging
import subprocess
import sys
from typing import Any

import pytest
import structlog

from services.kit.log_context import add_told, tell, telling
from services.kit.log_limits import EVERY_S, MAX_KEYS, Limiter, LimitNoise, LimitRepeats
from services.kit.log_secrets import HIDDEN, hide_secrets

# A process of ours that meets trouble, with libraries that tell of it too.
TROUBLED = """
import logging, structlog, threading
from services.kit.log_context import telling
from services.kit.logs import configure_logs

configure_logs("json", "composer")
repeated = structlog.get_logger(repeats=True)
with telling(command_id="c-1", environment="lab", trace_id=None):
    structlog.get_logger().info("of a command", token="SECRET")
    for _ in range(50):
        repeated.warning("a batch is repeated", error="postgresql://user:SECRET@db/pipeloom is away")
        logging.getLogger("opentelemetry.exporter").error("no collector at %s", _)
try:
    raise ConnectionError("postgresql://user:SECRET@db:5432/pipeloom")
except ConnectionError:
    structlog.get_logger().exception("it broke")
logging.getLogger("aiokafka.client").error("noise")
thread = threading.Thread(target=lambda: structlog.get_logger().info("of a thread"))
thread.start()
thread.join()
logging.getLogger("uvicorn.error").warning("said by a library: Bearer eyJhbGciOiJFZERTQSJ9.eyJTRUNSRVQiOjF9.c2ln")
"""


def test_a_troubled_process_says_each_thing_once_and_no_secret() -> None:
    ran = subprocess.run([sys.executable, "-c", TROUBLED], capture_output=True, text=True, check=True, timeout=60)
    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [line["event"] for line in lines] == [
        "of a command",
        "a batch is repeated",
        "no collector at 0",
        "it broke",
        "of a thread",
        f"said by a library: Bearer {HIDDEN}",
    ]
    assert {line["service"] for line in lines} == {"composer"}
    assert [line.get("command_id") for line in lines] == ["c-1", "c-1", "c-1", None, None, None]
    assert "trace_id" not in lines[0]
    assert "ConnectionError" in lines[3]["exception"]
    assert "SECRET" not in ran.stderr
    assert "eyJ" not in ran.stderr


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(clock: Clock) -> Limiter:
    return Limiter(clock)


def said(limit: LimitRepeats, **event: Any) -> dict[str, Any] | None:
    try:
        return dict(limit(None, "warning", event))
    except structlog.DropEvent:
        return None


def test_a_line_that_repeats_is_said_now_and_then_with_how_many_were_not(clock: Clock, limiter: Limiter) -> None:
    limit = LimitRepeats(limiter)
    first, *others = [said(limit, event="again", error=f"Lost({number})", repeats=True) for number in range(4)]
    clock.now += EVERY_S
    after = [said(limit, event="again", error=f"Lost({number})", repeats=True) for number in (8, 9)]
    assert (first, others) == ({"event": "again", "error": "Lost(0)"}, [None] * 3)
    assert after == [{"event": "again", "error": "Lost(8)", "suppressed": 3}, None]


def test_one_loop_does_not_silence_another_one(limiter: Limiter) -> None:
    limit = LimitRepeats(limiter)
    lines = [said(limit, event="again", repeats=True, **part) for part in ({"partition": 0}, {"partition": 1}, {})]
    assert None not in lines


def test_another_cause_is_not_silenced_by_the_one_before(limiter: Limiter) -> None:
    limit = LimitRepeats(limiter)
    lines = [said(limit, event="again", repeats=True, error=error) for error in ("Lost('a')", "Fenced('a')")]
    assert None not in lines


def test_a_line_of_no_loop_is_always_said(limiter: Limiter) -> None:
    limit = LimitRepeats(limiter)
    assert [said(limit, event="once", request_id="r") for _ in range(3)] == [{"event": "once", "request_id": "r"}] * 3


def test_what_is_remembered_is_bounded(limiter: Limiter) -> None:
    for number in range(2 * MAX_KEYS):
        assert limiter.admit(number) == 0
    assert limiter.admit(0) == 0, "the oldest are forgotten"
    assert limiter.admit(2 * MAX_KEYS - 1) is None


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("opentelemetry.sdk", 1),
        ("urllib3.connectionpool", 1),
        ("mode.timers", 1),
        ("faust.transport.drivers.aiokafka", 1),
        ("uvicorn", 3),
    ],
)
def test_only_libraries_that_are_known_for_it_are_limited(limiter: Limiter, name: str, number: int) -> None:
    noise = LimitNoise(limiter)
    records = [logging.LogRecord(name, logging.ERROR, "", 0, "try %s", (each,), None) for each in range(3)]
    assert sum(map(noise.filter, records)) == number


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"Authorization": "Bearer x"}, {"Authorization": HIDDEN}),
        ({"sdk_token": 1, "db_password": "x"}, {"sdk_token": HIDDEN, "db_password": HIDDEN}),
        ({"error": "at postgresql://u:p@db/x"}, {"error": f"at postgresql://{HIDDEN}@db/x"}),
        ({"error": "https://token@github.com/a.git"}, {"error": f"https://{HIDDEN}@github.com/a.git"}),
        (
            {"error": "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\nis wrong"},
            {"error": f"{HIDDEN}\nis wrong"},
        ),
        ({"error": "at postgresql://u:p/q@db/x"}, {"error": f"at postgresql://{HIDDEN}@db/x"}),
        ({"error": "http://db:80/a@b is odd"}, {"error": "http://db:80/a@b is odd"}),
        ({"error": "signed with whsec_a+b/c=."}, {"error": f"signed with {HIDDEN}."}),
        (
            {"asked": {"to": {"password": "x", "n": 1}, "all": [{"token": "y"}, "whsec_abc"]}},
            {"asked": {"to": {"password": HIDDEN, "n": 1}, "all": [{"token": HIDDEN}, HIDDEN]}},
        ),
        ({"event": "mail to ada@example.org", "n": 1}, {"event": "mail to ada@example.org", "n": 1}),
        ({"path": "/api/v1/pipelines/churn"}, {"path": "/api/v1/pipelines/churn"}),
    ],
)
def test_what_is_named_or_looks_like_a_secret_is_hidden(line: dict[str, Any], told: dict[str, Any]) -> None:
    assert hide_secrets(None, "", line) == told


def test_what_is_told_holds_inside_its_block_and_a_line_has_the_last_word() -> None:
    tell(command_id="nobody's")
    with telling(environment="lab"):
        tell(command_id="c-1")
        with telling(command_id="c-2", trace_id=None):
            inner = add_told(None, "", {"environment": "another"})
        outer = add_told(None, "", {})
    assert inner == {"environment": "another", "command_id": "c-2"}
    assert outer == {"environment": "lab", "command_id": "c-1"}
    assert add_told(None, "", {}) == {}
