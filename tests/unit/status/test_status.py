"""`pipeloom status` against health pages of this process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.samples import Sample
from rich.console import Console
from typer.testing import CliRunner, Result

from pipeloom.cli.main import app
from pipeloom.local.ports import HOST, pick_port
from pipeloom.status.report import report_of
from pipeloom.status.scrape import Scrape, scrape_all
from pipeloom.status.screen import screen_of
from services.kit.health import Health, health_app
from services.kit.process import serving

NOBODY = "http://127.0.0.1:1"
AT = "2026-01-31T12:00:00+00:00"


@asynccontextmanager
async def process(**parts: str | None) -> AsyncIterator[str]:
    """Give the address of an admin page that tells of `parts`."""
    health, port = Health(), pick_port()
    health.troubles.update(parts)
    async with serving(health_app(health), HOST, port):
        yield f"http://{HOST}:{port}"


async def run(*words: str) -> Result:
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["status", "--interval", "0.2", *words]))


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pipeloom.cli.profiles.config_file", lambda: tmp_path / "absent.toml")
    for name in ("PIPELOOM_URL", "PIPELOOM_SDK_TOKEN", "CRAFT_AI_SDK_TOKEN", "PIPELOOM_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def shown(report: dict[str, Any]) -> str:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123 - a device
    console.print(screen_of(report))
    console.file.close()
    return console.export_text()


async def test_a_process_tells_its_parts_and_its_numbers() -> None:
    async with process(kafka=None, postgres="it is away") as url:
        (told,) = await scrape_all({"composer": url + "/"})
    assert (told.is_ready, told.trouble) == (False, None)
    assert told.parts == {"kafka": "ok", "postgres": "it is away"}
    assert any(sample.name == "process_cpu_seconds_total" for sample in told.samples)


async def test_a_process_that_does_not_answer_is_told_with_the_reason() -> None:
    (told,) = await scrape_all({"composer": NOBODY})
    assert (told.is_ready, told.parts, told.samples) == (False, {}, ())
    assert "does not answer" in str(told.trouble)


async def test_when_everything_is_ready_it_ends_with_0() -> None:
    async with process(kafka=None) as url:
        ended = await run("--admin", f"composer={url}")
    assert ended.exit_code == 0, ended.output
    assert "Pipeloom is ready" in ended.stdout
    assert "set PIPELOOM_URL" in ended.stdout


async def test_what_is_not_ready_ends_it_with_1_and_is_named(tmp_path: Path) -> None:
    async with process(kafka="no answer from Kafka") as url:
        (tmp_path / "admin.json").write_text(json.dumps({"composer": url, "relay": NOBODY}))
        ended = await run("--data-dir", str(tmp_path))
    assert ended.exit_code == 1
    assert "kafka: no answer from Kafka" in ended.stdout
    assert f"{NOBODY} does not answer" in ended.stdout


async def test_programs_get_json() -> None:
    async with process(kafka=None) as url:
        ended = await run("--json", "--admin", f"composer={url}")
    told = json.loads(ended.stdout)
    assert told["ready"] is True
    assert told["processes"] == [
        {"name": "composer", "url": url, "ready": True, "trouble": None, "parts": {"kafka": "ok"}}
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--data-dir", "absent"], "--admin NAME=URL"),
        (["--admin", "composer"], "NAME=http://HOST:PORT"),
        (["--admin", "composer=ftp://x"], "NAME=http://HOST:PORT"),
        (["--admin", "a=http://x:1", "--admin", "a=http://x:2"], "two processes"),
    ],
)
async def test_wrong_usage_is_told(words: list[str], told: str) -> None:
    ended = await run(*words)
    assert ended.exit_code == 2
    assert told in " ".join(ended.stderr.replace("│", " ").split())


def _round(at_s: float, commands: float, fast: float, slow: float) -> list[Scrape]:
    samples = (
        Sample("pipeloom_composer_commands_total", {"type": "StepRequested", "outcome": "done"}, commands),
        Sample("pipeloom_composer_lag_records", {"partition": "0"}, 2),
        Sample("pipeloom_composer_lag_records", {"partition": "1"}, 3),
        Sample("pipeloom_composer_refusals_total", {"code": "step_exists"}, 4),
        Sample("pipeloom_command_seconds_bucket", {"le": "0.01"}, fast),
        Sample("pipeloom_command_seconds_bucket", {"le": "+Inf"}, fast + slow),
    )
    return [Scrape("gateway", "http://g", at_s, is_ready=True, parts={"kafka": "ok"}, samples=samples)]


def test_the_numbers_on_the_screen_are_those_between_two_looks() -> None:
    report = report_of(_round(10.0, 100, 50, 0), _round(12.0, 300, 150, 0), [], AT)
    assert report["commands"]["per_s"] == 100.0
    assert report["lags"]["composer_records"] == 5
    assert report["lags"]["relay_events"] is None
    screen = shown(report)
    for told in ("100.0/s", "p50 5 ms", "5 records", "step_exists 4", f"ready at {AT}"):
        assert told in screen


def test_latencies_are_those_since_the_start_when_nothing_came_in_between() -> None:
    same = _round(10.0, 100, 50, 0)
    report = report_of(same, _round(12.0, 100, 50, 0), [], AT)
    assert report["commands"]["latency_over"] == "since start"
    assert "since start" in shown(report)


def test_the_last_refusals_are_told_or_why_they_are_not() -> None:
    same = _round(10.0, 100, 50, 0)
    refusal = {"code": "step_exists", "message": "The name\nis taken\x1b[2J."}
    entry = {"time": AT, "subject": "steps/train", "refusal": refusal}
    assert "steps/train step_exists The name is taken\\x1b[2J." in shown(report_of(same, same, [entry], AT))
    assert "not known: no such address" in shown(report_of(same, same, "no such address", AT))
    assert "none" in shown(report_of(same, same, [], AT))
