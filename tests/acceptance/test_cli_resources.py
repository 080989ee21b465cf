"""What the command line does with folders, builds, tokens, schedules and secrets, against the product."""

import json
import tarfile
from pathlib import Path

import pytest

from pipeloom.cli.exits import ExitCode
from tests.acceptance.program import Pipeloom
from tests.acceptance.sources import CODE, FUNCTION_PATH
from tests.acceptance.tenant import Tenant

STEP = ("train", "--path", FUNCTION_PATH, "--function", "predict")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    code = tmp_path / "code" / FUNCTION_PATH
    code.parent.mkdir(parents=True)
    code.write_text(CODE)
    (tmp_path / "code/notes.txt").write_text("no code")
    return tmp_path / "code"


async def test_a_folder_becomes_a_step_that_can_be_looked_into(
    pipeloom: Pipeloom, folder: Path, tmp_path: Path
) -> None:
    source = ("--folder", str(folder), "--include", "src", "--takes", "months:number:required", "-o", "json")
    created = await pipeloom("steps", "create", *STEP, *source)
    assert json.loads(created.stdout)["creation_info"]["status"] == "Ready", created.stderr

    logs = await pipeloom("steps", "logs", "train")
    assert logs.stdout.splitlines()[-1].endswith("from the uploaded folder.")

    saved = await pipeloom("steps", "download", "train", "--to", str(tmp_path))
    with tarfile.open(saved.stdout.strip()) as tar:
        assert [member.name.removeprefix("./") for member in tar if member.isfile()] == [FUNCTION_PATH]


async def test_a_folder_that_cannot_be_built_ends_with_what_to_mend(pipeloom: Pipeloom, folder: Path) -> None:
    words = ("train", "--path", FUNCTION_PATH, "--function", "absent", "--folder", str(folder))
    ended = await pipeloom("steps", "create", *words)
    assert ended.code == ExitCode.REFUSED
    assert "does not define a function 'absent'" in ended.stderr
    assert "failure: function_not_found" in ended.stderr


async def test_a_folder_that_is_not_waited_for_is_a_command(pipeloom: Pipeloom, folder: Path) -> None:
    submitted = await pipeloom("steps", "create", *STEP, "--folder", str(folder), "--no-wait")
    told = await pipeloom("commands", "get", submitted.stdout.strip(), "--wait", "30")
    assert (submitted.code, told.code) == (ExitCode.DONE, ExitCode.DONE), submitted.stderr


async def test_a_step_is_built_anew_with_what_is_said_else(pipeloom: Pipeloom, step: str) -> None:
    updated = await pipeloom("steps", "update", step, "--description", "Newer", "-o", "json")
    told = json.loads(updated.stdout)
    assert (told["creation_info"]["status"], told["parameters"]["description"]) == ("Ready", "Newer")
    assert told["parameters"]["function_name"] == "predict"

    refused = await pipeloom("steps", "update", step, "--branch", "absent")
    assert refused.code == ExitCode.REFUSED
    assert "absent" in refused.stderr


async def test_an_endpoint_gets_its_options_and_another_token(pipeloom: Pipeloom, pipeline: str) -> None:
    options = ("--mode", "low_latency", "--parallel", "--max-parallel", "2", "--ram", "512MiB", "--gpu", "1")
    created = await pipeloom(
        "deployments", "create", "live", "--pipeline", pipeline, "--rule", "endpoint", *options, "-o", "json"
    )
    told = json.loads(created.stdout)
    assert (told["ram_request"], told["max_parallel_executions_per_pod"]) == ("512MiB", 2)

    asked = await pipeloom("deployments", "new-token", "live")
    assert asked.code == ExitCode.USAGE
    renewed = await pipeloom("deployments", "new-token", "live", "--yes", "-o", "json")
    assert json.loads(renewed.stdout)["endpoint_token"] not in {None, told["endpoint_token"]}
    assert (await pipeloom("deployments", "schedule", "live")).code == ExitCode.REFUSED
    assert (await pipeloom("deployments", "logs", "live", "-o", "json")).stdout == "[]\n"


async def test_a_schedule_is_told_in_words(pipeloom: Pipeloom, tenant: Tenant, pipeline: str) -> None:
    assert (await tenant.schedule("nightly", pipeline, "0 3 * * *")).status_code == 201
    told = await pipeloom("deployments", "schedule", "nightly")
    assert "03:00" in told.stdout
    assert told.stdout.count("T03:00:00") == 3


async def test_secrets_come_in_by_files_and_stdin_and_go_out_only_when_asked_for(
    pipeloom: Pipeloom, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("-----BEGIN-----\n")

    ended = await pipeloom("variables", "set", "REGION=eu", f"KEY=@{key}", "API_KEY=-", stdin="s3cret\n")
    assert (ended.code, "s3cret" in ended.stdout) == (ExitCode.DONE, False), ended.stderr

    masked = await pipeloom("variables", "list")
    assert [line.split()[0] for line in masked.stdout.splitlines()] == ["name", "API_KEY", "KEY", "REGION"]
    assert "s3cret" not in masked.stdout
    shown = json.loads((await pipeloom("variables", "list", "--show", "-o", "json")).stdout)
    assert {each["name"]: each["value"] for each in shown} == {
        "API_KEY": "s3cret",
        "KEY": "-----BEGIN-----\n",
        "REGION": "eu",
    }

    deleted = await pipeloom("variables", "delete", "API_KEY", "--yes")
    assert (deleted.code, "s3cret" in deleted.stdout) == (ExitCode.DONE, False)
    again = await pipeloom("variables", "delete", "API_KEY", "--yes")
    assert again.code == ExitCode.REFUSED
    assert "environment_variable_not_found" in again.stderr


async def test_a_log_of_a_pipeline_is_read(pipeloom: Pipeloom, pipeline: str) -> None:
    assert "was created" in (await pipeloom("pipelines", "logs", pipeline)).stdout
