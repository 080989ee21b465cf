"""`pipeloom status` against health pages of this process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
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
        {"name": "composer", "url": url, "ready": True, "trouble": None, "parts": {"kafka": "ok"}, "last_end": None}
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


def _scrape(name: str, *samples: Sample, is_ready: bool = True) -> Scrape:
    return Scrape(name, f"http://{name}", 10.0, is_ready=is_ready, parts={"kafka": "ok"}, samples=samples)


def _report(*scrapes: Scrape, letters: Any = None) -> dict[str, Any]:
    return report_of(scrapes, scrapes, [], AT, letters)


def _row(screen: str, label: str) -> str:
    return next(line for line in screen.splitlines() if line.startswith(label)).removeprefix(label).strip()


BEHIND = Sample("pipeloom_part_behind_records", {"part": "composer", "partition": "0"}, 12)
BEHIND_TOO = Sample("pipeloom_part_behind_records", {"part": "composer", "partition": "1"}, 3)
LAG = Sample("pipeloom_composer_lag_records", {"partition": "0"}, 2)


def test_codes_that_never_happened_take_no_place_on_the_screen() -> None:
    counts = {f"code_{number:02}": float(number) for number in range(75)} | {"never": 0.0}
    samples = (Sample("pipeloom_composer_refusals_total", {"code": code}, count) for code, count in counts.items())
    report = _report(_scrape("composer", *samples))
    told = _row(shown(report), "refusals")
    assert told == "code_74 74, code_73 73, code_72 72, code_71 71, code_70 70, code_69 69 … and 68 more"
    assert report["refusals"]["by_code"]["never"] == 0


def test_no_refusals_are_told_as_none_only_by_who_knows() -> None:
    composer = _scrape("composer", Sample("pipeloom_composer_refusals_total", {"code": "step_exists"}, 0.0))
    assert _row(shown(_report(composer)), "refusals") == "none since start"


def test_what_nobody_knows_is_no_zero() -> None:
    report = _report(Scrape("composer", NOBODY, 10.0, trouble="does not answer"))
    assert report["refusals"]["by_code"] is None
    assert report["refusals"]["dead_letters"] is None
    assert report["commands"]["unknown"] is None
    assert set(report["monitor"].values()) == set(report["webhooks"].values()) == {None}
    screen = shown(report)
    for label in ("unknown outcomes", "overdue", "composer lag", "relay lag", "dead letters", "refusals"):
        assert _row(screen, label) == "-", label
    assert _row(screen, "webhooks") == "-"


def test_a_lag_of_a_part_that_is_not_ready_is_told_as_what_it_was() -> None:
    report = _report(_scrape("composer", LAG, is_ready=False))
    assert report["lags"]["composer_records"] is None
    assert _row(shown(report), "composer lag") == "- (was 2 records)"


def test_the_monitor_stands_in_for_a_part_that_tells_nothing() -> None:
    monitors = (_scrape("monitor", BEHIND, BEHIND_TOO), _scrape("monitor-2", BEHIND))
    report = _report(_scrape("composer", LAG, is_ready=False), *monitors)
    assert report["lags"]["composer_records"] == 15
    assert _row(shown(report), "composer lag") == "15 records, by the monitor"


def test_a_part_that_tells_its_lag_is_asked_itself() -> None:
    report = _report(_scrape("composer", LAG), _scrape("monitor", BEHIND))
    assert _row(shown(report), "composer lag") == "2 records"


def test_a_monitor_that_is_not_ready_stands_in_for_nobody() -> None:
    assert _report(_scrape("monitor", BEHIND, is_ready=False))["lags"]["composer_records"] is None


def test_overdue_commands_and_webhooks_have_rows() -> None:
    pending = Sample("pipeloom_webhook_deliveries_pending", {}, 4)
    webhooks = (_scrape(name, pending, Sample("pipeloom_webhooks_disabled_total", {}, 1)) for name in ("one", "two"))
    screen = shown(_report(_scrape("monitor", Sample("pipeloom_monitor_overdue_commands", {}, 7)), *webhooks))
    assert _row(screen, "overdue") == "7 commands"
    assert _row(screen, "webhooks") == "4 deliveries pending, 2 disabled since start"


def test_open_dead_letters_are_those_of_the_environment() -> None:
    counted = _scrape("composer", Sample("pipeloom_composer_dead_letters_total", {"code": "x"}, 9))
    report = _report(counted, letters={"count": 3, "is_at_least": False})
    assert _row(shown(report), "dead letters") == "3 open in your environment, 9 since the composer started"
    assert _row(shown(_report(counted)), "dead letters") == "9 since the composer started"
    assert _row(shown(_report(letters={"count": 100, "is_at_least": True})), "dead letters") == (
        "100 or more open in your environment"
    )


def test_everything_fits_on_a_small_terminal() -> None:
    names = ("gateway", "composer", "relay", "builder", "webhooks", "monitor")
    refusals = (Sample("pipeloom_composer_refusals_total", {"code": "c" * 16 + str(n)}, 9.0) for n in range(20))
    scrapes = [_scrape(name) for name in names[1:]] + [_scrape("gateway", *refusals)]
    refusal = {"time": AT, "subject": "s" * 60, "refusal": {"code": "step_exists", "message": "m" * 400}}
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123 - a device
    console.print(screen_of(report_of(scrapes, scrapes, [refusal] * 5, AT)))
    console.file.close()
    lines = console.export_text().splitlines()
    assert len(lines) <= 25
    assert sum("s" * 20 in line for line in lines) == 5


async def test_in_a_pipe_no_line_is_padded() -> None:
    async with process(kafka=None) as url:
        ended = await run("--admin", f"composer={url}")
    assert all(line == line.rstrip() for line in ended.stdout.splitlines())


async def test_what_is_held_up_and_why_a_process_was_restarted_are_shown() -> None:
    health, port = Health(last_end="code 75: ended by its watchdog"), pick_port()
    health.ill("progress", "commands in partition 3: 17 waiting")
    async with serving(health_app(health), HOST, port):
        (told,) = await scrape_all({"composer": f"http://{HOST}:{port}"})
    held = replace(told, samples=(Sample("pipeloom_held_up_seconds", {"what": "commands"}, 42.0),))
    screen = shown(report_of([], [held], [], AT))
    assert "progress: commands in partition 3: 17 waiting" in screen
    assert "was restarted: code 75: ended by its watchdog" in screen
    assert "the longest for 42.0 s" in screen
