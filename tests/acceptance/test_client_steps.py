"""Steps by our own clients: from a folder, built anew, downloaded, and what their logs tell."""

import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dulwich import porcelain

from pipeloom.client import (
    ArchiveTooLarge,
    StepFailed,
    StepInUse,
    StepNotFound,
    UnsafeArchive,
    documents,
    writes,
)
from tests.acceptance.clients import Ask
from tests.acceptance.sources import ADA, CODE, FUNCTION_PATH, make_repository
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import INPUTS, OUTPUTS

DECLARED: dict[str, Any] = {"inputs": INPUTS, "outputs": OUTPUTS}
STEP = ("train", FUNCTION_PATH, "predict")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the code of a step, and with more."""
    for name, text in {FUNCTION_PATH: CODE, "requirements.txt": "numpy>=1.26\n", "notes.txt": "no code"}.items():
        path = tmp_path / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "code"


def files_in(archive: Path) -> set[str]:
    with tarfile.open(archive) as tar:
        return {member.name.removeprefix("./") for member in tar if member.isfile()}


async def test_a_folder_becomes_a_step_and_comes_back(ask: Ask, folder: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    step = await ask("create_step", *STEP, folder=folder, on_upload=lambda *how: told.append(how), **DECLARED)
    saved = await ask("download_step_local_folder", "train", tmp_path)

    assert (step["creation_info"]["status"], step["creation_info"]["origin"]) == ("Ready", "local")
    assert step["parameters"]["inputs"][1]["default_value"] == "basic"
    assert told[-1][0] == told[-1][1] > 0
    assert saved == tmp_path / "train.tgz"
    assert files_in(saved) == {FUNCTION_PATH, "requirements.txt", "notes.txt"}
    assert await ask("download_step_code", "train") == saved.read_bytes()


@pytest.mark.parametrize("included", [["src"], ["/src/"], []])
async def test_of_a_folder_only_what_is_included_goes_along(
    ask: Ask, folder: Path, tmp_path: Path, included: list[str]
) -> None:
    config = {"local_folder": str(folder), "included_folders": included, "requirements_path": "requirements.txt"}

    await ask("create_step", *STEP, container_config=config, **DECLARED)

    assert files_in(await ask("download_step_local_folder", "train", str(tmp_path))) == {
        FUNCTION_PATH,
        "requirements.txt",
    }


async def test_a_folder_is_submitted_without_waiting(ask: Ask, folder: Path) -> None:
    command_id = await ask("submit", writes.create_step(*STEP, folder=folder, **DECLARED))
    assert (await ask("get_command", command_id, wait_s=20))["type"] == "StepCreated"


async def test_the_same_folder_again_with_the_same_key_is_one_step(ask: Ask, folder: Path) -> None:
    first = await ask("create_step", *STEP, folder=folder, idempotency_key="once", **DECLARED)
    second = await ask("create_step", *STEP, folder=folder, idempotency_key="once", **DECLARED)
    assert first == second


async def test_a_folder_that_leads_out_of_itself_is_refused(ask: Ask, folder: Path) -> None:
    (folder / "link").symlink_to("../elsewhere")
    with pytest.raises(UnsafeArchive, match="link"):
        await ask("create_step", *STEP, folder=folder)
    assert await ask("get_step", "train") is None


async def test_a_folder_of_too_many_files_is_refused(ask: Ask, folder: Path) -> None:
    for number in range(20_001):
        (folder / str(number)).touch()
    with pytest.raises(ArchiveTooLarge):
        await ask("create_step", *STEP, folder=folder)


async def test_a_folder_that_cannot_be_built_is_told_with_a_code(ask: Ask, folder: Path) -> None:
    with pytest.raises(StepFailed, match="absent") as failed:
        await ask("create_step", "train", FUNCTION_PATH, "absent", folder=folder)
    assert failed.value.details["failure_code"] == "function_not_found"


async def test_an_update_builds_what_was_committed_since(ask: Ask, stack: Stack, tmp_path_factory: Any) -> None:
    repository = stack.data_dir / f"sources-{tmp_path_factory.mktemp('update').name}-{id(ask)}"
    first = make_repository(repository)
    config = {"repository_url": str(repository)}
    created = await ask("create_step", *STEP, "Before", container_config=config, **DECLARED)

    (repository / FUNCTION_PATH).write_text(CODE + "\n\ndef later(months, plan):\n    return {}\n")
    porcelain.add(str(repository), [str(repository / FUNCTION_PATH)])
    second = porcelain.commit(str(repository), message=b"More", author=ADA, committer=ADA).decode()
    updated = await ask("update_step", "train", function_name="later")

    assert (created["creation_info"]["commit_id"], updated["creation_info"]["commit_id"]) == (first, second)
    assert (updated["creation_info"]["status"], updated["parameters"]["function_name"]) == ("Ready", "later")
    assert (updated["parameters"]["description"], updated["parameters"]["inputs"]) == (
        "Before",
        created["parameters"]["inputs"],
    )


async def test_an_update_that_cannot_be_built_is_told_with_a_code(ask: Ask, step: str) -> None:
    with pytest.raises(StepFailed) as failed:
        await ask("update_step", step, function_name="absent")
    assert failed.value.details["failure_code"] == "function_not_found"


@pytest.mark.usefixtures("pipeline")
async def test_an_update_may_not_change_what_pipelines_stand_on(ask: Ask, step: str) -> None:
    with pytest.raises(StepInUse):
        await ask("update_step", step, inputs=[{"name": "other", "data_type": "string"}])


async def test_the_log_of_a_step_tells_of_its_last_build(ask: Ask, step: str) -> None:
    asked, built = await ask("get_step_logs", step)

    assert asked.keys() >= documents.LogLine.__required_keys__
    assert "was built" in built["message"]
    later = datetime.now(UTC) + timedelta(hours=1)
    assert await ask("get_step_logs", step, limit=1) == [asked]
    assert await ask("get_step_logs", step, from_datetime=later) == []
    assert await ask("get_step_logs", step, to_datetime=later) == [asked, built]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [("update_step", ("absent",)), ("get_step_logs", ("absent",)), ("download_step_local_folder", ("absent", "."))],
)
async def test_what_does_not_exist_is_refused_by_its_class(ask: Ask, method: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises(StepNotFound):
        await ask(method, *arguments)
