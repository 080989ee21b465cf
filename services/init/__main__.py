"""Prepares an installation: `python -m services.init`."""

import asyncio
import sys

from aiokafka.errors import KafkaError
from psycopg import OperationalError
from pydantic import ValidationError

from services.kit.kafka import ensure_topics
from services.kit.logs import configure_logs
from services.kit.migrations import MigrationsLocked, migrate
from services.kit.sealing import ensure_secrets_key
from services.kit.settings import Settings
from services.kit.signing_keys import ensure_signing_key


def main() -> None:
    """Apply migrations, create topics and the keys, and tell what was new. Exits with 1 and a sentence."""
    try:
        settings = Settings()
        configure_logs(settings.log_format, "init")
        applied = migrate(settings.postgres)
        created = asyncio.run(ensure_topics(settings.kafka))
        new_key = ensure_signing_key(settings.auth.signing_key_file)
        new_secrets_key = ensure_secrets_key(settings.secrets.key_file)
    except ValidationError as error:
        sys.exit(f"pipeloom init: the settings cannot be used: {error}")
    except MigrationsLocked as error:
        sys.exit(f"pipeloom init: {error}.")
    except OperationalError as error:
        sys.exit(f"pipeloom init: Postgres cannot be reached (PIPELOOM_POSTGRES__DSN): {error}")
    except KafkaError as error:
        sys.exit(f"pipeloom init: Kafka refused or cannot be reached (PIPELOOM_KAFKA__BOOTSTRAP_SERVERS): {error}")
    except OSError as error:
        sys.exit(f"pipeloom init: {error}")
    print(f"migrations applied: {', '.join(applied) or 'none were missing'}")
    print(f"topics created: {', '.join(created) or 'none were missing'}")
    print(f"signing key: {settings.auth.signing_key_file} {'created' if new_key else 'was there'}")
    print(f"secrets key: {settings.secrets.key_file} {'created' if new_secrets_key else 'was there'}")


if __name__ == "__main__":
    main()
