"""Verify and rebuild: `python -m services.composer.recovery verify|rebuild --help`."""

import asyncio
import json
import sys
from argparse import Namespace
from typing import Any, NoReturn

import asyncpg

from services.composer.recovery.arguments import parser
from services.composer.recovery.differences import Findings
from services.composer.recovery.progress import Progress
from services.composer.recovery.rebuild import RefusedRebuildError, rebuild, rehearse
from services.composer.recovery.verify import UnknownEnvironmentError, verify
from services.kit.collecting import collect_seldom
from services.kit.postgres import POSTGRES_TROUBLE
from services.kit.settings import Settings, UnusableSettingsError, load_settings

EQUAL, DIFFERENT, NOT_CHECKED = 0, 1, 2
DONE, REFUSED, NOT_DONE = 0, 1, 2


def main() -> None:
    """Carry one of them out, and exit with what it found."""
    given = parser().parse_args()
    collect_seldom()
    try:
        settings = load_settings()
        with Progress() as progress:
            code, answer = asyncio.run(
                _verify(settings, given, progress) if given.what == "verify" else _rebuild(settings, given, progress)
            )
    except UnusableSettingsError as error:
        _end(given.what, NOT_CHECKED, str(error))
    except UnknownEnvironmentError as error:
        _end(given.what, NOT_CHECKED, f"{error}; `pipeloom admin list-environments` tells which there are.")
    except RefusedRebuildError as error:
        _end(given.what, REFUSED, str(error))
    except asyncpg.UndefinedTableError:
        _end(given.what, NOT_CHECKED, "the database has no schema of this version; run `pipeloom init` first.")
    except POSTGRES_TROUBLE as error:
        _end(given.what, NOT_DONE, f"Postgres cannot be used (PIPELOOM_POSTGRES__DSN): {error or type(error).__name__}")
    print(answer)
    sys.exit(code)


async def _verify(settings: Settings, given: Namespace, progress: Progress) -> tuple[int, str]:
    findings = await verify(settings, given.environment, progress)
    code = DIFFERENT if findings.differences_total else EQUAL
    return code, _shown(given, findings.as_json(), _sentences(findings, "The projection equals the event log"))


async def _rebuild(settings: Settings, given: Namespace, progress: Progress) -> tuple[int, str]:
    if given.dry_run:
        findings = await rehearse(settings, progress)
        sentences = _sentences(findings, "A rebuild would change nothing")
        return DONE, _shown(given, {"swapped": False, **findings.as_json()}, sentences)
    done = await rebuild(settings, progress, restart=given.restart)
    how = "went on with an interrupted one and " if done.went_on else ""
    told = (
        f"Rebuilt: {how}replayed {done.events} events of {done.environments} environments; {done.resources} resources."
    )
    answer = {"swapped": True, "events": done.events, "environments": done.environments, "resources": done.resources}
    return DONE, _shown(given, answer, [told])


def _shown(given: Namespace, answer: dict[str, Any], sentences: list[str]) -> str:
    return json.dumps(answer) if given.output == "json" else "\n".join(sentences)


def _sentences(findings: Findings, equal: str) -> list[str]:
    looked_at = f"{findings.environments} environments, {findings.events} events, {findings.resources} resources"
    if not findings.differences_total:
        return [f"{equal}: {looked_at}."]
    more = findings.differences_total - len(findings.differences)
    return [
        *map(str, findings.differences),
        *([f"… and {more} more"] if more else []),
        f"{findings.differences_total} differences in {looked_at}.",
    ]


def _end(what: str, code: int, sentence: str) -> NoReturn:
    print(f"pipeloom {what}: {sentence}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
