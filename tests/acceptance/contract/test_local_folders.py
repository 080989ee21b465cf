"""Steps from a folder that the client sends (0.43 and later), and the source of any step, given back."""

import io
import tarfile
from pathlib import Path

import pytest

from tests.acceptance.contract.remote import Sdk, SdkError
from tests.acceptance.contract.steps import create_step, make_local_folder
from tests.acceptance.contract.versions import Version, versions_that
from tests.acceptance.sources import CODE, FUNCTION_PATH
from tests.acceptance.tenant import Tenant

for_local_folders = versions_that(lambda version: version.has_local_folders)


@for_local_folders
async def test_a_step_is_made_of_a_local_folder(sdk: Sdk, tenant: Tenant, version: Version, tmp_path: Path) -> None:
    make_local_folder(tmp_path)
    configuration = {
        "local_folder": str(tmp_path),
        "included_folders": ["src"],
        "requirements_path": "requirements.txt",
        "language": "python:3.11-slim",
    }

    step = await create_step(sdk, tenant, container_config=configuration)

    assert step["creation_info"]["status"] == version.ready
    assert step["creation_info"]["origin"] == "local"
    configuration.pop("local_folder")
    assert step["parameters"]["container_config"] == configuration
    assert [each["default_value"] for each in step["parameters"]["inputs"]][:3] == [3.5, "basic", False]
    assert [each["origin"] for each in await sdk.list_steps()] == ["local"]


@for_local_folders
async def test_the_folders_to_include_need_not_be_named(
    sdk: Sdk, tenant: Tenant, version: Version, tmp_path: Path
) -> None:
    make_local_folder(tmp_path)

    step = await create_step(sdk, tenant, container_config={"local_folder": str(tmp_path)})

    assert step["creation_info"]["status"] == version.ready


@for_local_folders
async def test_a_local_folder_without_the_function_fails_and_may_be_sent_again(
    sdk: Sdk, tenant: Tenant, version: Version, tmp_path: Path
) -> None:
    make_local_folder(tmp_path)
    configuration = {"local_folder": str(tmp_path), "included_folders": ["src"]}
    name, message = version.build_failure

    with pytest.raises(SdkError, match=message) as failed:
        await create_step(sdk, tenant, container_config=configuration, function_name="absent")
    assert failed.value.name == name

    step = await create_step(sdk, tenant, container_config=configuration)
    assert step["creation_info"]["status"] == version.ready


@for_local_folders
async def test_a_local_folder_is_given_back_as_it_was_sent(sdk: Sdk, tenant: Tenant, tmp_path: Path) -> None:
    files = make_local_folder(tmp_path / "sent")
    del files["notes/todo.md"]
    configuration = {
        "local_folder": str(tmp_path / "sent"),
        "included_folders": ["src"],
        "requirements_path": "requirements.txt",
    }
    await create_step(sdk, tenant, container_config=configuration)

    await sdk.download_step_local_folder("train", str(tmp_path))

    assert _files_in((tmp_path / "train.tgz").read_bytes()) == files


@for_local_folders
async def test_what_was_read_from_a_repository_is_given_back_too(sdk: Sdk, tenant: Tenant, tmp_path: Path) -> None:
    await create_step(sdk, tenant)

    await sdk.download_step_local_folder("train", str(tmp_path))

    assert _files_in((tmp_path / "train.tgz").read_bytes())[FUNCTION_PATH] == CODE.encode()


@for_local_folders
async def test_there_is_nothing_to_give_back_of_a_missing_step(sdk: Sdk, tmp_path: Path) -> None:
    with pytest.raises(SdkError, match="'train'") as refused:
        await sdk.download_step_local_folder("train", str(tmp_path))

    assert (refused.value.name, refused.value.status_code) == ("step_not_found", 404)


def _files_in(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        contents = {member.name: opened.extractfile(member) for member in opened.getmembers()}
        return {name: content.read() for name, content in contents.items() if content is not None}
