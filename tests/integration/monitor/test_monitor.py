"""The monitor on real Kafka: what it counts, whom it tells, and that killing it changes nothing."""

from events.commands import PipelineDeleteRequested, PipelineRequested
from tests.integration.monitor.conftest import Watchtower

NEW = PipelineRequested(pipeline_name="churn", step_names=["train"])
GONE = PipelineDeleteRequested(name="churn")


async def test_results_are_counted_by_type_and_minute(watchtower: Watchtower) -> None:
    async with watchtower.watching() as monitor:
        asked = [await watchtower.ask("lab", NEW) for _ in range(3)]
        await watchtower.answer(*asked[:2])
        await watchtower.answer(asked[2], refuse=True)

        await watchtower.complete()
        print(await watchtower.documents())
        print(await watchtower.rows("select * from activity_part"))
        assert await monitor.stop() == 0
