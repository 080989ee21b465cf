"""The packaging's files, read once."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.unit.packaging.dockerfile import Stage, read_stages

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    """docker-compose.yml with its anchors merged."""
    document: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
    return document


@pytest.fixture(scope="session")
def stages() -> list[Stage]:
    """The Dockerfile, stage by stage."""
    return read_stages((ROOT / "Dockerfile").read_text())
