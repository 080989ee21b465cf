"""Prune by hand: `python -m services.composer.retention --help`."""

import asyncio
import json
import sys
from argparse import Namespace
from typing import Any, NoReturn

import asyncpg
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from services.composer.recovery.progress import Progress
from services.composer.retention.arguments import parser
from services.composer.retention.ends import read_topic_ends, wait_until_decided
from services.composer.retention.prune import NotDecidedError, Pace, Piece, Pruned, prune, rehearse
from services.composer.retention.store import sql
from services.kit.postgres import POSTGRES_TROUBLE, connect
from services.kit.reasons import reason_of
from services.kit.settings import RetentionSettings, Settings, UnusableSettingsError, load_settings

DONE, REFUSED, NOT_DONE = 0, 1, 2
DECIDED_WITHIN_S = 60.0


class RefusedPruneError(Exception):
    """Nothing can be pruned; the message says why and what to do."""


def main() -> None:
    """Prune once, and exit with what became of it."""
    given = parser().parse_args()
    try:
        settings = load_settings()
        with Progress() as progress:
            done = asyncio.run(_prune(settings, _keep_days(settings, given), given, progress))
    except UnusableSettingsError as error:
        _end(NOT_DONE, str(error))
    except RefusedPruneError as error:
        _end(REFUSED, str(error))
    except NotDecidedError:
        _end(REFUSED, "commands wait to be decided, which may repeat old ones; start the composers, and try again.")
    except asyncpg.UndefinedTableError:
        _end(NOT_DONE, "the database has no schema of this version; run `pipeloom init` first.")
    except KafkaError as error:
        _end(NOT_DONE, f"Kafka cannot be used (PIPELOOM_KAFKA__BOOTSTRAP_SERVERS): {reason_of(error)}")
    except POSTGRES_TROUBLE as error:
        _end(NOT_DONE, f"Postgres cannot be used (PIPELOOM_POSTGRES__DSN): {error or type(error).__name__}")
    print(json.dumps(_as_json(done, given)) if given.output == "json" else "\n".join(_sentences(done, given)))


def _keep_days(settings: Settings, given: Namespace) -> float:
    keep_days = settings.retention.keep_days if given.keep_days is None else given.keep_days
    if keep_days is None:
        raise RefusedPruneError("everything is kept; set PIPELOOM_RETENTION__KEEP_DAYS, or give --keep-days.")
    try:
        RetentionSettings(keep_days=keep_days)
    except ValidationError:
        _end(NOT_DONE, "keep 14 to 36,500 days; 14 is what the commands topic does. For ever is to set no number.")
    return float(keep_days)


async def _prune(settings: Settings, keep_days: float, given: Namespace, progress: Progress) -> Pruned:
    connection = await connect(settings.postgres)
    pace = Pace(settings.retention.batch_events, settings.retention.pause_s)
    gone = 0

    def tell(piece: Piece) -> None:
        nonlocal gone
        gone += piece.events
        progress.begin("pruning", gone, gone)

    try:
        if not given.dry_run and not await sql.lead(connection):
            raise RefusedPruneError("a composer or another `pipeloom prune` prunes right now; wait until it is done.")
        ends = await read_topic_ends(connection, settings.kafka)
        await wait_until_decided(connection, ends, DECIDED_WITHIN_S)
        if given.dry_run:
            return await rehearse(connection, ends, keep_days, pace)
        return await prune(connection, ends, keep_days, pace, tell)
    finally:
        connection.terminate()


def _as_json(done: Pruned, given: Namespace) -> dict[str, Any]:
    return {
        "pruned": not given.dry_run,
        "events": done.events,
        "commands": done.commands,
        "strays": done.strays,
        "held": {environment: hold.value for environment, hold in done.held.items()},
        "unreadable": done.unreadable,
    }


def _sentences(done: Pruned, given: Namespace) -> list[str]:
    how = "Would prune" if given.dry_run else "Pruned"
    strays = f", and {done.strays} rejections that belong to no history" if done.strays else ""
    return [
        f"{how} {done.events} events of {done.commands} commands{strays}.",
        *(f"{environment}: the rest stays, {WHY[hold.value]}." for environment, hold in sorted(done.held.items())),
        *(f"{environment}: nothing goes, {why}." for environment, why in sorted(done.unreadable.items())),
    ]


WHY = {
    "unpublished": "the relay has not published it yet",
    "webhook": "a webhook was not told of it yet",
    "unknown": "the inbox does not know when it was decided",
}


def _end(code: int, sentence: str) -> NoReturn:
    print(f"pipeloom prune: {sentence}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
