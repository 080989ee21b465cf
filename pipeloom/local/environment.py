"""The variables that the services are started with, and the ones that the user's own tools get."""

import hashlib
import json
import os
import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeloom.local.ports import HOST

KAFKA_SETTING = "PIPELOOM_KAFKA__BOOTSTRAP_SERVERS"
POSTGRES_SETTING = "PIPELOOM_POSTGRES__DSN"


@dataclass(frozen=True)
class Addresses:
    """Where the parts of a running stack are."""

    http_port: int
    kafka: str
    postgres: str

    @property
    def url(self) -> str:
        """The address of the HTTP API."""
        return f"http://{HOST}:{self.http_port}"

    def settings(self) -> dict[str, str]:
        """Return the settings that every part of this stack must agree on."""
        return {KAFKA_SETTING: self.kafka, POSTGRES_SETTING: self.postgres}


def configured(setting: str) -> str | None:
    """Return what the user set, None where that is nothing."""
    return os.environ.get(setting) or None


def service_environment(data_dir: Path, addresses: Addresses) -> dict[str, str]:
    """Return the whole environment of a service: our proposals, then what the user set, then what must be so."""
    proposals = {
        "PYTHONUNBUFFERED": "1",
        "PIPELOOM_COMPOSER__INSTANCE_ID": _instance(data_dir),
        "PIPELOOM_HTTP__HOST": HOST,
        "PIPELOOM_AUTH__SIGNING_KEY_FILE": str(data_dir / "signing-key.pem"),
        "PIPELOOM_SECRETS__KEY_FILE": str(data_dir / "secrets.key"),
        "PIPELOOM_OBJECTS__LOCATION": str(data_dir / "objects"),
        "PIPELOOM_BUILDER__SOURCE_ROOTS": json.dumps([str(Path.cwd()), str(data_dir)]),
        "PIPELOOM_BUILDER__WORK_DIR": str(data_dir / "builder"),
    }
    return {**proposals, **os.environ, **addresses.settings()}


def _instance(data_dir: Path) -> str:
    """Return a name that lasts over restarts: a killed composer is back without waiting for its session to end."""
    return f"{socket.gethostname()}-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]}"


def client_environment(addresses: Addresses, sdk_token: str) -> dict[str, str]:
    """Return the variables that a client of this stack needs."""
    return {
        "PIPELOOM_URL": addresses.url,
        "CRAFT_AI_ENVIRONMENT_URL": addresses.url,
        "CRAFT_AI_CONTROL_URL": addresses.url,
        "CRAFT_AI_SDK_TOKEN": sdk_token,
        **addresses.settings(),
    }


def as_shell(variables: Mapping[str, str]) -> str:
    """Return lines that `set -a; . FILE` understands."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
