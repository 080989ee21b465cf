"""`pipeloom activity`: the monitor's numbers for a person, and as they are for a program."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from pipeloom.cli.exits import ExitCode

from .conftest import Service

Pipeloom = Callable[[str], Result]

ID = "0198c5f2-b210-7a44-b0de-6a3f0f8f2c77"
AT = "2026-01-31T12:00:00.000Z"
FOUND: dict[str, Any] = {
    "as_of": AT,
    "stale": False,
    "minutes": 5,
    "open": 4,
    "overdue": 12,
    "overdue_commands": [{"command_id": ID, "command_type": "StepRequested", "asked_at": AT}],
    "types": [
        {
            "command_type": "PipelineRequested",
            "results": 120,
            "refused": {"step_not_found": 2, "pipeline_exists": 5},
            "latency_ms": {"p50": 4.4, "p95": 30.0, "p99": 1500.0},
            "per_minute": [],
        },
        {
            "command_type": "StepRequested",
            "results": 0,
            "refused": {},
            "latency_ms": {"p50": None, "p95": None, "p99": None},
            "per_minute": [],
        },
    ],
    "parts": [{"part": "composer", "behind": 7, "measured_at": AT}],
}


def lines_of(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_a_person_reads_a_row_for_each_type_and_who_is_behind(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, FOUND)
    lines = lines_of(pipeloom("activity --minutes 5"))
    assert dict(service.requests[0].url.params) == {"minutes": "5"}
    assert lines == [
        f"The last 5 minutes, as of {AT}.",
        "",
        "type results refused p50 p95 p99 codes",
        "PipelineRequested 120 7 4 ms 30 ms 1.5 s pipeline_exists 5, step_not_found 2",
        "StepRequested 0 0 - - - -",
        "",
        "without a result 4",
        "overdue 12",
        f"{ID} StepRequested, asked at {AT}",
        "… and 2 more -o json tells the first hundred",
        f"composer behind 7 records, measured at {AT}",
    ]


def test_old_numbers_are_said_to_be_old(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, {**FOUND, "stale": True})
    assert "STALE: the monitor is stopped or behind" in lines_of(pipeloom("activity"))[0]


def test_what_was_never_measured_is_no_zero(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, {**FOUND, "as_of": None, "stale": True, "types": [], "open": 0, "overdue": 0})
    [line] = lines_of(pipeloom("activity"))
    assert line.startswith("The monitor has never measured")


def test_programs_get_the_activity_as_it_is(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, FOUND)
    assert json.loads(pipeloom("activity -o json").stdout) == FOUND


@pytest.mark.parametrize("minutes", ["0", "1441", "many"])
def test_minutes_that_nobody_keeps_are_wrong_usage(pipeloom: Pipeloom, service: Service, minutes: str) -> None:
    assert pipeloom(f"activity --minutes {minutes}").exit_code == ExitCode.USAGE
    assert service.requests == []
