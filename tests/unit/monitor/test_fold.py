"""The numbers are a fold: the same however the two topics are interleaved, and however often a record comes again."""

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.monitor.activity import MAX_OPEN, Activity, from_bytes, to_bytes
from services.monitor.fold import MINUTE_MS, apply_answered, apply_asked, apply_unreadable
from services.monitor.records import Answered, Asked

KEEP = 5
Records = list[tuple[str, int, Any]]


def asked(at_ms: int = 0, command_id: str = "c") -> Asked:
    return Asked("lab", command_id, "PipelineRequested", at_ms)


def answered(position: int, at_ms: int = 10, asked_ms: int = 0, refused: str | None = None) -> Answered:
    return Answered("lab", position, position + 1, "PipelineRequested", refused, asked_ms, at_ms)


# Of each command: how much later it comes, what becomes of it, and how long that takes.
STEPS = st.tuples(
    st.integers(0, 2 * MINUTE_MS),
    st.sampled_from(["junk", "nothing", "once", "twice", "refused"]),
    st.integers(0, 9000),
)


def history(steps: list[tuple[int, str, int]]) -> tuple[Records, Records]:
    """Return the records of a commands partition and of its events partition."""
    commands: Records = []
    events: Records = []
    now = 0
    for offset, (later, fate, within) in enumerate(steps):
        now += later
        if fate == "junk":
            commands.append(("unreadable", offset, "commands"))
            continue
        commands.append(("asked", offset, asked(now, f"c-{offset}")))
        result = answered(offset, now + within, now, "pipeline_exists" if fate == "refused" else None)
        for _ in range({"nothing": 0, "twice": 2}.get(fate, 1)):
            events.append(("answered", len(events) * 3, result))
    return commands, events


def live(commands: Records, events: Records, chance: Random) -> Activity:
    """Read both as a monitor does that is killed now and then: it goes on from what it saved, and from before that."""
    source, at = (commands, events), [0, 0]
    activity = Activity()
    saved, committed = to_bytes(activity), [0, 0]
    kills = 5
    while at[0] < len(commands) or at[1] < len(events):
        topic = chance.randrange(2)
        for record in source[topic][at[topic] : at[topic] + chance.randint(1, 4)]:
            apply(activity, *record)
            at[topic] += 1
        if chance.random() < 0.2:
            saved = to_bytes(activity)
            committed = [chance.randint(before, now) for before, now in zip(committed, at, strict=True)]
        if kills and chance.random() < 0.2:
            kills -= 1
            activity, at = from_bytes(saved), list(committed)
    return activity


def apply(activity: Activity, kind: str, offset: int, what: Any) -> None:
    if kind == "asked":
        apply_asked(activity, offset, what)
    elif kind == "answered":
        apply_answered(activity, offset, what, KEEP)
    else:
        apply_unreadable(activity, what, offset, "no CloudEvent")


def fold(records: Records) -> Activity:
    activity = Activity()
    for record in records:
        apply(activity, *record)
    return activity


@given(st.lists(STEPS, max_size=25), st.randoms(use_true_random=False))
def test_any_interleaving_with_any_kills_gives_the_numbers_of_a_rebuild(
    steps: list[tuple[int, str, int]], chance: Random
) -> None:
    commands, events = history(steps)
    assert live(commands, events, chance) == fold(commands + events) == fold(events + commands)


def test_a_result_counts_by_its_minute_its_type_and_its_code() -> None:
    activity = fold(
        [
            ("asked", 0, asked()),
            ("asked", 1, asked()),
            ("answered", 0, answered(0)),
            ("answered", 1, answered(1, 70_000, 0, "no")),
        ]
    )
    assert sorted(activity.minutes) == [0, 1]
    assert activity.minutes[0]["PipelineRequested"].refused == {}
    assert activity.minutes[1]["PipelineRequested"].refused == {"no": 1}
    assert activity.open == {}


def test_minutes_that_are_too_old_are_let_go_also_when_they_come_late() -> None:
    late = [("answered", offset, answered(offset, minute * MINUTE_MS)) for offset, minute in enumerate([9, 3, 4, 5])]
    assert sorted(fold(late).minutes) == [5, 9]


def test_a_command_is_open_until_its_result_or_that_of_a_later_one_comes() -> None:
    activity = fold([("asked", 0, asked()), ("asked", 1, asked()), ("asked", 2, asked())])
    assert activity.number_open == 3
    apply_answered(activity, 0, answered(1), KEEP)
    assert sorted(activity.open) == [2]


def test_an_overdue_command_recovers_with_its_result() -> None:
    activity = fold([("asked", 0, asked())])
    activity.open[0].is_overdue = True
    apply_answered(activity, 0, answered(0, at_ms=77), KEEP)
    (told,) = activity.outbox
    assert (told.offset, told.answered_ms) == (0, 77)


def test_of_very_many_open_commands_the_oldest_untold_ones_are_only_counted() -> None:
    # Given
    activity = Activity()
    apply_asked(activity, 0, asked())
    activity.open[0].is_overdue = True
    # When
    for offset in range(1, MAX_OPEN + 10):
        apply_asked(activity, offset, asked())
    # Then
    assert len(activity.open) == MAX_OPEN
    assert list(activity.open)[:2] == [0, 11]
    assert activity.number_open == MAX_OPEN + 10
    apply_answered(activity, 0, answered(10), KEEP)
    assert activity.number_open == MAX_OPEN - 1


def test_when_all_open_commands_are_told_overdue_a_new_one_is_only_counted() -> None:
    activity = Activity()
    for offset in range(MAX_OPEN):
        apply_asked(activity, offset, asked())
        activity.open[offset].is_overdue = True
    apply_asked(activity, MAX_OPEN, asked())
    assert (len(activity.open), activity.number_open) == (MAX_OPEN, MAX_OPEN + 1)


def test_the_refusal_of_a_stray_has_no_place_in_the_history_and_is_counted() -> None:
    activity = fold(
        [("answered", 0, answered(5)), ("answered", 1, replace(answered(6), sequence=None, refused="misrouted"))]
    )
    assert activity.minutes[0]["PipelineRequested"].results == 2
    assert (activity.decided, activity.sequence) == (6, 6)


def test_a_history_that_goes_on_over_a_new_commands_topic_is_counted_on() -> None:
    activity = fold([("answered", 0, answered(500)), ("answered", 1, replace(answered(0), sequence=502))])
    assert activity.minutes[0]["PipelineRequested"].results == 2
