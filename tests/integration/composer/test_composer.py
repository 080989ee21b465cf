"""The composer on real Kafka and Postgres: commands in, projection and event log out."""

from events.commands import PipelineRequested, StepBuildReported, StepRequested
from services.composer.service import run_composer
from services.kit.settings import Settings
from services.relay.service import run_relay
from tests.support.installation import Log, command, new_member
from tests.support.services import running_service


async def test_a_command_written_straight_to_kafka_has_its_effect_and_its_result(
    installation: Settings, log: Log
) -> None:
    # Given
    member = await new_member(installation.postgres)
    step = command(member.environment, StepRequested(step_name="s", function_path="a.py", function_name="f"))
    report = command(member.environment, StepBuildReported(step_name="s", requested_by=str(step.id), outcome="ready"))
    pipeline = command(member.environment, PipelineRequested(pipeline_name="p", step_names=["s"]))
    async with running_service(run_composer, installation), running_service(run_relay, installation):
        # When
        await log.ask(step, report, pipeline)
        # Then
        events = await log.events(3)
    assert [(event.type, event.sequence, event.is_result, event.command_id) for event in events] == [
        ("StepCreated", 1, True, step.id),
        ("StepReady", 2, True, report.id),
        ("PipelineCreated", 3, True, pipeline.id),
    ]
