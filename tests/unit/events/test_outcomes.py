"""Each result answers one kind of command."""

from events.commands import COMMANDS
from events.outcomes import COMMAND_OF, is_refusal, results_of
from events.results import RESULTS


def test_every_result_but_the_refusal_answers_a_command() -> None:
    assert set(COMMAND_OF) == {result for result in RESULTS if not is_refusal(result)}


def test_every_command_has_a_result() -> None:
    assert set(COMMAND_OF.values()) == set(COMMANDS)


def test_a_build_report_has_two_results() -> None:
    assert results_of("StepBuildReported") == ["StepReady", "StepFailed"]
