"""The Dockerfile: what ends up in the image, and as whom it runs."""

import re
from pathlib import Path

from tests.unit.packaging.dockerfile import Stage

INSTALLERS = re.compile(r"\b(apt-get|apk|pip|gcc|build-essential)\b")


def test_the_image_is_built_in_stages_on_one_small_base(stages: list[Stage]) -> None:
    assert [stage.base for stage in stages] == ["python:${PYTHON}-slim AS build", "python:${PYTHON}-slim"]


def test_the_final_image_does_not_run_as_root(stages: list[Stage]) -> None:
    last = stages[-1]
    names = [name for name, _ in last.instructions]
    assert last.all("USER") == ["pipeloom"]
    assert "useradd --system --uid 10001" in " ".join(last.all("RUN"))
    assert "RUN" not in names[names.index("USER") :]


def test_the_final_image_installs_nothing(stages: list[Stage]) -> None:
    assert not [text for text in stages[-1].all("RUN") if INSTALLERS.search(text)]
    assert stages[-1].all("COPY") == ["--from=build /opt/pipeloom /opt/pipeloom"]


def test_sigterm_ends_it_and_health_is_left_to_the_orchestrator(stages: list[Stage]) -> None:
    assert stages[-1].all("STOPSIGNAL") == ["SIGTERM"]
    assert stages[-1].all("HEALTHCHECK") == []


def test_every_dependency_comes_as_a_wheel_with_a_known_hash(stages: list[Stage]) -> None:
    installs = [part for text in stages[0].all("RUN") for part in text.split("&&") if " install " in part]
    locked = [part for part in installs if " -r " in part]
    assert len(locked) == 2
    assert all("--require-hashes --only-binary :all:" in part for part in locked)
    assert all("--no-deps" in part for part in installs if part not in locked)


def test_the_build_context_holds_what_the_build_copies(root: Path, stages: list[Stage]) -> None:
    allowed = {
        line.removeprefix("!") for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = {source for text in stages[0].all("COPY") for source in text.split()[:-1]}
    assert copied == allowed
    assert [path for path in copied if not (root / path).exists()] == []


def test_the_version_on_the_label_is_the_projects(root: Path, stages: list[Stage]) -> None:
    version = re.search(r'^version = "(.+)"$', (root / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert stages[-1].all("ARG") == [f"VERSION={version[1]}"]
