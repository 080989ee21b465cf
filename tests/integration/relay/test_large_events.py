"""The largest events that the rules allow fit onto the topic."""

from events.commands import MAX_INPUTS, StepBuildReported, StepRequested
from events.resources import InputSpec
from services.composer.service import run_composer
from services.kit.settings import Settings
from services.relay.service import run_relay
from tests.support.installation import Log, command, new_member
from tests.support.services import running_service

NAME = "€" * 255


async def test_the_events_of_the_largest_step_are_published(installation: Settings, log: Log) -> None:
    # Given a step request that just fits into a command
    environment = (await new_member(installation.postgres)).environment
    inputs = [InputSpec(name=f"i{each:04}", data_type="string", description="d" * 1_300) for each in range(MAX_INPUTS)]
    step = command(environment, StepRequested(step_name=NAME, function_path="a.py", function_name="f", inputs=inputs))
    report = StepBuildReported(step_name=NAME, requested_by=str(step.id), outcome="ready")
    async with running_service(run_composer, installation), running_service(run_relay, installation):
        # When
        await log.ask(step, command(environment, report))
        events = await log.events(2)
    # Then
    assert [event.type for event in events] == ["StepCreated", "StepReady"]
    assert len(events[1].data) > 2 * MAX_INPUTS * 1_300
