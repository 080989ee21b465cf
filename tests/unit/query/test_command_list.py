"""A refusal is told by how its data begins."""

import pytest

from events.commands import COMMANDS
from events.results import CommandRejected
from services.query.command_list import refusal_opening


@pytest.mark.parametrize("command_type", COMMANDS)
def test_a_refusals_data_begins_with_the_type_of_its_command(command_type: str) -> None:
    refusal = CommandRejected(command_type=command_type, command_subject="s", code="c", message="m", details={})
    matching = [each for each in COMMANDS if refusal.model_dump_json().startswith(refusal_opening(each))]
    assert matching == [command_type]
