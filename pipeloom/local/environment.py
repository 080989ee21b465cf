"""The variables that the services are started with, and the ones that the user's own tools get."""

import hashlib
import json
import os
import re
import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeloom.local.ports import HOST

KAFKA_SETTING = "PIPELOOM_KAFKA__BOOTSTRAP_SERVERS"
POSTGRES_SETTING = "PIPELOOM_POSTGRES__DSN"
HTTP_HOST_SETTING = "PIPELOOM_HTTP__HOST"
SIGNING_KEY_SETTING = "PIPELOOM_AUTH__SIGNING_KEY_FILE"

# The addresses of an embedded stack's own servers, in its env file: settings of these values configure nothing.
EMBEDDED_MARK = "PIPELOOM_LOCAL_SERVERS"

_CLIENT_VARIABLES = ("PIPELOOM_URL", "CRAFT_AI_ENVIRONMENT_URL", "CRAFT_AI_CONTROL_URL", "CRAFT_AI_SDK_TOKEN")
_POSTGRES_CLIENT_VARIABLE = re.compile(r"PG[A-Z]+")
_WITHOUT_PROXY = (HOST, "localhost", "::1")
_ANY_ADDRESS = {"0.0.0.0": HOST, "::": "::1"}  # noqa: S104 - they are told apart, not listened on


@dataclass(frozen=True)
class Addresses:
    """Where the parts of a running stack are."""

    http_port: int
    kafka: str
    postgres: str
    http_host: str = HOST

    @property
    def url(self) -> str:
        """The address of the HTTP API, as seen from this machine."""
        host = _ANY_ADDRESS.get(self.http_host, self.http_host)
        return f"http://[{host}]:{self.http_port}" if ":" in host else f"http://{host}:{self.http_port}"

    def settings(self) -> dict[str, str]:
        """Return the settings that every part of this stack must agree on."""
        return {KAFKA_SETTING: self.kafka, POSTGRES_SETTING: self.postgres}


def configured(setting: str) -> str | None:
    """Return what the user set, None where that is nothing."""
    return os.environ.get(setting) or None


def without_secrets(address: str) -> str:
    """Return what of an address may be shown."""
    return address.rpartition("@")[2].partition("?")[0]


def settle_environment() -> None:
    """Take out of this process's environment what would mislead an embedded stack and its children.

    That is what another stack's env file wrote, since it describes servers that come and go with that stack; and, where
    Postgres is embedded, the variables by which its clients are told of other servers.
    """
    embedded_elsewhere = os.environ.pop(EMBEDDED_MARK, "").split()
    for setting in (KAFKA_SETTING, POSTGRES_SETTING):
        if os.environ.get(setting) in embedded_elsewhere:
            del os.environ[setting]
    misleading = list(_CLIENT_VARIABLES) if embedded_elsewhere else []
    if configured(POSTGRES_SETTING) is None:
        misleading += filter(_POSTGRES_CLIENT_VARIABLE.fullmatch, os.environ)
    for name in misleading:
        os.environ.pop(name, None)


def service_environment(data_dir: Path, addresses: Addresses) -> dict[str, str]:
    """Return the whole environment of a service: our proposals, then what the user set, then what must be so."""
    proposals = {
        "PYTHONUNBUFFERED": "1",
        "PIPELOOM_COMPOSER__INSTANCE_ID": _instance(data_dir),
        "PIPELOOM_MONITOR__INSTANCE_ID": _instance(data_dir),
        HTTP_HOST_SETTING: HOST,
        SIGNING_KEY_SETTING: str(signing_key_file(data_dir)),
        "PIPELOOM_SECRETS__KEY_FILE": str(data_dir / "secrets.key"),
        "PIPELOOM_OBJECTS__LOCATION": str(data_dir / "objects"),
        "PIPELOOM_BUILDER__SOURCE_ROOTS": json.dumps([str(Path.cwd()), str(data_dir)]),
        "PIPELOOM_BUILDER__WORK_DIR": str(data_dir / "builder"),
        "PIPELOOM_TRACING__FILE": str(data_dir / "traces.jsonl"),
    }
    given = {name: value for name, value in os.environ.items() if value or name not in proposals}
    # The folder that the stack is started in may hold a `services` or a `logging.py` of the user's.
    return {**proposals, **given, **addresses.settings(), "PYTHONSAFEPATH": "1"}


def signing_key_file(data_dir: Path) -> Path:
    """Return the file of the key that the services sign with."""
    return Path(configured(SIGNING_KEY_SETTING) or data_dir / "signing-key.pem")


def _instance(data_dir: Path) -> str:
    """Return a name that lasts over restarts: a killed composer is back without waiting for its session to end."""
    return f"{socket.gethostname()}-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]}"


def client_environment(addresses: Addresses, sdk_token: str) -> dict[str, str]:
    """Return the variables that a client of this stack needs."""
    own = [value for setting, value in addresses.settings().items() if configured(setting) is None]
    mark = {EMBEDDED_MARK: " ".join(own)} if own else {}
    return {
        "PIPELOOM_URL": addresses.url,
        "CRAFT_AI_ENVIRONMENT_URL": addresses.url,
        "CRAFT_AI_CONTROL_URL": addresses.url,
        "CRAFT_AI_SDK_TOKEN": sdk_token,
        **addresses.settings(),
        **mark,
        # Some programs read the one name and some the other.
        **dict.fromkeys(("NO_PROXY", "no_proxy"), _no_proxy()),
    }


def _no_proxy() -> str:
    """Return the hosts that no proxy is asked for: those that the user named, and this machine."""
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = [host.strip() for host in given.split(",") if host.strip()]
    return ",".join(dict.fromkeys([*hosts, *_WITHOUT_PROXY]))


def as_shell(variables: Mapping[str, str]) -> str:
    """Return lines that `set -a; . FILE` understands."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
