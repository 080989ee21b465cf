"""Whether a cursor has its place in the commands topic, and where it goes on when it has none."""

from uuid import UUID

from services.kit.commands_log import CommandsLog

OURS, ANEW = UUID(int=1), UUID(int=2)
LOG = CommandsLog(OURS, start=10, end=20)


def test_a_cursor_between_start_and_end_goes_on() -> None:
    assert [LOG.cannot_go_on(place, OURS) for place in (10, 15, 20)] == [None, None, None]


def test_a_cursor_before_the_start_has_lost_commands_and_goes_on_at_the_start() -> None:
    reason = LOG.cannot_go_on(9, OURS)
    assert reason is not None
    assert "stands at offset 9, but the topic holds 10 to 20: commands were deleted" in reason
    assert LOG.place_to_go_on(9, OURS) == 10
    assert not LOG.uses_offsets_again(9, OURS)


def test_a_topic_that_lost_its_end_goes_on_behind_what_was_decided_at_offsets_used_before() -> None:
    reason = LOG.cannot_go_on(25, OURS)
    assert reason is not None
    assert "the topic lost its end" in reason
    assert LOG.place_to_go_on(25, OURS) == 20
    assert LOG.uses_offsets_again(25, OURS)


def test_of_a_topic_made_anew_everything_is_to_be_decided() -> None:
    for place in (5, 15, 25):
        assert "made anew" in (LOG.cannot_go_on(place, ANEW) or "")
        assert LOG.place_to_go_on(place, ANEW) == 10
        assert LOG.uses_offsets_again(place, ANEW)
