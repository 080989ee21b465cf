"""The command line against the product: what a script relies on."""

import json

import pytest

from pipeloom.cli.exits import ExitCode
from tests.acceptance.program import NOBODY, Pipeloom
from tests.acceptance.sources import FUNCTION_PATH
from tests.acceptance.tenant import Tenant


async def test_a_step_becomes_a_pipeline_becomes_a_deployment_and_goes_again(
    pipeloom: Pipeloom, tenant: Tenant
) -> None:
    repository = str(tenant.repository)
    step = ("train", "--repository", repository, "--path", FUNCTION_PATH, "--function", "predict")
    created = await pipeloom("steps", "create", *step, "--takes", "months:number:required", "-o", "json")
    assert json.loads(created.stdout)["creation_info"]["status"] == "Ready", created.stderr

    assert (await pipeloom("pipelines", "create", "churn", "--step", "train")).code == ExitCode.DONE
    live = await pipeloom("deployments", "create", "live", "--pipeline", "churn", "--rule", "endpoint", "-o", "json")
    assert json.loads(live.stdout)["endpoint_token"]

    refused = await pipeloom("pipelines", "delete", "churn", "--yes")
    assert refused.code == ExitCode.REFUSED
    assert "'live'" in refused.stderr
    assert "--force" in refused.stderr

    deleted = await pipeloom("pipelines", "delete", "churn", "--force", "--yes", "-o", "json")
    assert json.loads(deleted.stdout)["deployments"] == [{"name": "live", "execution_rule": "endpoint"}]
    assert await tenant.names("/pipelines", "pipeline_name") == []


async def test_a_step_that_cannot_be_built_ends_with_what_to_mend(pipeloom: Pipeloom, tenant: Tenant) -> None:
    source = ("--repository", str(tenant.repository), "--path", FUNCTION_PATH)
    ended = await pipeloom("steps", "create", "train", *source, "--function", "absent")
    assert ended.code == ExitCode.REFUSED
    assert "does not define a function 'absent'" in ended.stderr


@pytest.mark.usefixtures("step")
async def test_a_write_that_is_not_waited_for_is_asked_about_later(pipeloom: Pipeloom) -> None:
    for code, status in ((ExitCode.DONE, "succeeded"), (ExitCode.REFUSED, "rejected")):
        submitted = await pipeloom("pipelines", "create", "churn", "--step", "train", "--no-wait")
        told = await pipeloom("commands", "get", submitted.stdout.strip(), "--wait", "30", "-o", "json")
        assert (told.code, json.loads(told.stdout)["status"]) == (code, status)


async def test_a_command_that_never_was_has_no_outcome(pipeloom: Pipeloom) -> None:
    ended = await pipeloom("commands", "get", "0192f7a0-7c1e-7b3a-9c55-2f9d1c5a0e11")
    assert ended.code == ExitCode.UNAVAILABLE_OR_UNKNOWN


@pytest.mark.usefixtures("step")
async def test_a_repeat_with_the_same_key_takes_effect_once(pipeloom: Pipeloom) -> None:
    words = ("pipelines", "create", "churn", "--step", "train", "--idempotency-key", "once", "-o", "json")
    assert await pipeloom(*words) == await pipeloom(*words)


async def test_without_consent_nothing_is_deleted(pipeloom: Pipeloom, tenant: Tenant, pipeline: str) -> None:
    assert (await pipeloom("pipelines", "delete", pipeline)).code == ExitCode.USAGE
    assert await tenant.names("/pipelines", "pipeline_name") == [pipeline]


async def test_a_service_that_is_not_there_is_told_by_the_exit_code(pipeloom: Pipeloom) -> None:
    ended = await pipeloom("steps", "list", PIPELOOM_URL=NOBODY)
    assert ended.code == ExitCode.UNAVAILABLE_OR_UNKNOWN
    assert "Is the service running?" in ended.stderr
