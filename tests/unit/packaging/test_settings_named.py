"""Every setting that the packaging names is one that the services read."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from services.kit.settings import Settings

PREFIX = "PIPELOOM_"
FILES = ("docker-compose.yml", "Dockerfile", "deploy/README.md")
# A section and a name, or one of the few without a section; the client's own variables are no settings of a service.
SETTING = re.compile(rf"{PREFIX}(?:[A-Z]+__[A-Z_]+|LOG_FORMAT)")


def _known(model: type[BaseModel], prefix: str) -> set[str]:
    names = set()
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            names |= _known(section, f"{prefix}{name.upper()}__")
        else:
            names.add(f"{prefix}{name.upper()}")
    return names


@pytest.mark.parametrize("file", FILES)
def test_every_setting_that_a_file_names_exists(root: Path, file: str) -> None:
    named = set(SETTING.findall((root / file).read_text()))
    assert named
    assert named <= _known(Settings, PREFIX)


@pytest.mark.parametrize("name", ["init", "composer", "relay", "builder", "webhooks", "gateway"])
def test_a_service_accepts_its_environment(compose: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = compose["services"][name]["environment"]
    for variable, value in environment.items():
        monkeypatch.setenv(variable, str(value))
    settings = Settings()
    assert settings.kafka.bootstrap_servers == "kafka:19092"
    assert settings.health.port == 8081
    assert {variable for variable in environment if variable.startswith(PREFIX)} <= _known(Settings, PREFIX)


def test_an_unknown_setting_would_be_noticed() -> None:
    assert "PIPELOOM_KAFKA__BOOTSTRAP" not in _known(Settings, PREFIX)
