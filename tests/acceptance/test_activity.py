"""How commands fare, asked of the whole product."""

from tests.acceptance.tenant import Tenant
from tests.support.services import eventually


async def test_what_was_asked_and_refused_is_in_the_activity_of_its_environment(tenant: Tenant, pipeline: str) -> None:
    # Given a step, a pipeline, and one that is refused
    assert (await tenant.create_pipeline(pipeline, "train")).status_code == 409

    # When the monitor has counted them, and says that it has
    async def all_counted() -> bool:
        body = (await tenant.http.get("/activity")).json()
        return not body["stale"] and sum(each["results"] for each in body["types"]) == 4

    await eventually(all_counted, 60)

    # Then each is told by its type and code
    body = (await tenant.http.get("/activity", params={"minutes": 5})).json()
    assert {each["command_type"]: (each["results"], each["refused"]) for each in body["types"]} == {
        "StepRequested": (1, {}),
        "StepBuildReported": (1, {}),
        "PipelineRequested": (2, {"pipeline_exists": 1}),
    }
    assert (body["open"], body["overdue"]) == (0, 0)
    assert {each["part"] for each in body["parts"]} == {"composer", "relay", "builder", "monitor"}
    assert all(0 < each["latency_ms"]["p50"] <= each["latency_ms"]["p99"] for each in body["types"])
