"""The admin commands: `python -m services.admin --help`. Each prints JSON."""

import asyncio
import json
import sys
from datetime import datetime
from typing import Any, NoReturn

import asyncpg

from events.envelope import timestamp
from services.admin.arguments import parser
from services.admin.control import ControlError
from services.kit.postgres import POSTGRES_TROUBLE
from services.kit.settings import Settings, UnusableSettingsError, load_settings

REFUSED, UNREACHABLE = 1, 3

# What says that Postgres is not there, rather than that it refused.
AWAY = (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)


def main() -> None:
    """Carry out one admin command; when it cannot be, exit with a sentence."""
    given = parser().parse_args()
    try:
        answer = asyncio.run(given.run(_settings(), given))
    except ControlError as error:
        _end(REFUSED, str(error))
    except asyncpg.UndefinedTableError:
        _end(REFUSED, "the database has no schema yet; run `pipeloom init` first.")
    except POSTGRES_TROUBLE as error:
        code = UNREACHABLE if isinstance(error, AWAY) else REFUSED
        _end(code, f"Postgres cannot be used (PIPELOOM_POSTGRES__DSN): {error or type(error).__name__}")
    print(json.dumps(answer, default=_text))


def _settings() -> Settings:
    try:
        return load_settings()
    except UnusableSettingsError as error:
        _end(REFUSED, str(error))


def _text(value: Any) -> str:
    return timestamp(value) if isinstance(value, datetime) else str(value)


def _end(code: int, sentence: str) -> NoReturn:
    print(f"pipeloom admin: {sentence}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
