"""The past of an environment, from the outside: histories, commands, and dead letters that are mended."""

import json
from typing import Any
from uuid import uuid4

from events.refusals import Code
from tests.acceptance.program import Pipeloom
from tests.acceptance.records import written
from tests.acceptance.tenant import Tenant


async def told(pipeloom: Pipeloom, *words: str, stdin: str = "") -> Any:
    """Return the JSON that a command wrote which went well."""
    ended = await pipeloom(*words, stdin=stdin)
    assert (ended.code, ended.stderr) == (0, "")
    return json.loads(ended.stdout)


async def test_the_end_of_a_deployment_that_went_with_its_step_is_in_its_history(
    tenant: Tenant, pipeline: str, step: str
) -> None:
    # Given
    created = await tenant.create_endpoint("churn-api", pipeline)
    refused = await tenant.create_endpoint("churn-api", pipeline)
    # When
    await tenant.http.delete(f"/steps/{step}", params={"force_dependents_deletion": True})
    # Then
    history = (await tenant.http.get("/deployments/churn-api/history", params={"order": "oldest"})).json()
    assert [entry["type"] for entry in history] == ["DeploymentCreated", "CommandRejected", "DeploymentDeleted"]
    assert history[0]["command_id"] == created.headers["Pipeloom-Command-Id"]
    assert history[1]["refusal"]["message"] == refused.json()["message"]
    assert (history[2]["command_type"], history[2]["command_subject"]) == ("StepDeleteRequested", f"steps/{step}")
    assert {entry["actor"] for entry in history} == {(await tenant.http.get("/users/me")).json()["id"]}
    listed = (await tenant.http.get("/commands", params={"status": "rejected"})).json()
    assert [entry["refusal"]["code"] for entry in listed] == ["deployment_exists"]
    assert (await tenant.http.get("/deployments/other/history")).json()["name"] == Code.DEPLOYMENT_NOT_FOUND


async def test_a_record_that_was_no_command_is_mended_on_the_command_line(
    tenant: Tenant, step: str, pipeloom: Pipeloom
) -> None:
    # Given
    command_id = uuid4()
    await tenant.put(b'{"pipeline_name": "churn"}', written(tenant, command_id, {}))
    await tenant.result(command_id)
    # When
    (letter,) = await told(pipeloom, "dead-letters", "list", "--output", "json")
    shown = await told(pipeloom, "dead-letters", "show", letter["id"], "--output", "json")
    data = json.loads(shown["value"]["text"]) | {"step_names": [step]}
    replay = ["dead-letters", "replay", letter["id"], "--output", "json", "--data", "-"]
    replayed = await told(pipeloom, *replay, stdin=json.dumps(data))
    # Then
    assert (letter["code"], letter["command_id"]) == ("invalid_body", str(command_id))
    assert (replayed["type"], replayed["subject"]) == ("PipelineCreated", "pipelines/churn")
    (created, refused) = await told(pipeloom, "pipelines", "history", "churn", "--output", "json")
    assert created["command_source"] == f"/pipeloom/dead-letters/{letter['id']}"
    assert refused["command_id"] == str(command_id)
    assert "No dead letters are open." in (await pipeloom("dead-letters", "list")).stdout
