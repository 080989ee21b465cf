"""Prepares an installation: `python -m services.init`."""

import asyncio
import sys
from typing import NoReturn

from aiokafka.errors import KafkaError
from psycopg import OperationalError

from services.kit.kafka import ensure_topics
from services.kit.logs import configure_logs
from services.kit.migrations import UnusableDatabaseError, migrate
from services.kit.sealing import ensure_secrets_key
from services.kit.settings import Settings, UnusableSettingsError, load_settings
from services.kit.signing_keys import ensure_signing_key, read_signing_keys, why_unusable

REFUSED, UNREACHABLE = 1, 3


def main() -> None:
    """Apply migrations, create topics and the keys, and tell what was new; when it cannot, exit with a sentence."""
    try:
        settings = load_settings()
        configure_logs(settings.log_format, "init")
        lines = [_signing_key(settings), *_prepared(settings)]
    except (UnusableSettingsError, UnusableDatabaseError) as error:
        _end(REFUSED, f"{error}")
    except OperationalError as error:
        _end(UNREACHABLE, f"Postgres cannot be reached (PIPELOOM_POSTGRES__DSN): {error}")
    except KafkaError as error:
        _end(UNREACHABLE, f"Kafka refused or cannot be reached (PIPELOOM_KAFKA__BOOTSTRAP_SERVERS): {error}")
    except OSError as error:
        _end(REFUSED, f"{error}")
    print("\n".join(lines))


def _signing_key(settings: Settings) -> str:
    path = settings.auth.signing_key_file
    is_new = ensure_signing_key(path)
    try:
        read_signing_keys(path)
    except (OSError, ValueError) as error:
        _end(REFUSED, why_unusable(path, error))
    return f"signing key: {path} {'created' if is_new else 'was there'}"


def _prepared(settings: Settings) -> list[str]:
    applied = migrate(settings.postgres)
    created = asyncio.run(ensure_topics(settings.kafka))
    is_new = ensure_secrets_key(settings.secrets.key_file)
    return [
        f"migrations applied: {', '.join(applied) or 'none were missing'}",
        f"topics created: {', '.join(created) or 'none were missing'}",
        f"secrets key: {settings.secrets.key_file} {'created' if is_new else 'was there'}",
    ]


def _end(code: int, sentence: str) -> NoReturn:
    print(f"pipeloom init: {sentence.strip().removesuffix('.')}.", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
