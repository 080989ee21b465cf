"""Which command a replay is: the same one as long as it asks for the same and has no result."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from events.refusals import Refused
from services.command.replay_marks import command_of
from services.kit.dead_letters import LetterId

from .test_replays import letter

BEFORE, KEY, OTHER_KEY = (UUID(int=number) for number in (1, 2, 3))
SAME, OTHER = b"the same content", b"another content"


def replayed_as(command_id: UUID, replay: Any) -> Any:
    return replace(letter(), replayed_as=command_id, replayed_content=SAME, replay=replay)


def test_a_first_replay_is_named_by_the_letter_and_what_is_sent() -> None:
    named = command_of(letter(), SAME, None)
    assert named == command_of(letter(), SAME, None) == UUID("ce65636a-347a-554d-beb4-bb4897df76a1")
    elsewhere = (replace(letter(), environment="other"), replace(letter(), id=LetterId(3, 1043)))
    others = {command_of(letter(), OTHER, None), *(command_of(each, SAME, None) for each in elsewhere)}
    assert len({named, *others}) == 4


def test_a_replay_after_a_refused_one_is_another_command() -> None:
    again = command_of(replayed_as(BEFORE, "refused"), SAME, None)
    assert again not in {BEFORE, command_of(letter(), SAME, None)}


@pytest.mark.parametrize("replay", [None, "refused"])
def test_a_key_names_the_replay_of_an_open_letter(replay: Any) -> None:
    open_letter = letter() if replay is None else replayed_as(BEFORE, replay)
    assert command_of(open_letter, SAME, KEY) == KEY


@pytest.mark.parametrize("key", [None, OTHER_KEY])
def test_the_same_replay_is_the_same_command_while_it_has_no_result(key: UUID | None) -> None:
    assert command_of(replayed_as(BEFORE, "undecided"), SAME, key) == BEFORE


@pytest.mark.parametrize("replay", ["undecided", "refused", "done"])
def test_a_repeat_under_the_same_key_is_the_same_command_for_ever(replay: Any) -> None:
    assert command_of(replayed_as(KEY, replay), SAME, KEY) == KEY


@pytest.mark.parametrize(
    ("replay", "content", "key", "code"),
    [
        ("undecided", OTHER, None, "dead_letter_undecided"),
        ("undecided", OTHER, OTHER_KEY, "dead_letter_undecided"),
        ("undecided", OTHER, KEY, "command_id_reused"),
        ("done", SAME, None, "dead_letter_replayed"),
        ("done", OTHER, OTHER_KEY, "dead_letter_replayed"),
        ("done", OTHER, KEY, "command_id_reused"),
    ],
)
def test_a_replay_that_could_be_a_second_one_is_refused(
    replay: Any, content: bytes, key: UUID | None, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        command_of(replayed_as(KEY, replay), content, key)
    assert (refused.value.code, refused.value.details["command_id"]) == (code, str(KEY))


def test_a_replay_that_took_effect_so_long_ago_that_only_the_letter_knows_is_not_sent_again() -> None:
    remembered = replace(replayed_as(KEY, "done"), is_remembered=True)
    with pytest.raises(Refused) as refused:
        command_of(remembered, SAME, KEY)
    assert refused.value.code == "dead_letter_replayed"
