"""The numbers are a fold: the same however the two topics are interleaved, and however often a record comes again."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from services.monitor.activity import MAX_OPEN, Activity, Minute
from services.monitor.fold import MINUTE_MS, apply_answered, apply_asked, apply_unreadable
from services.monitor.ledger import Ledger, Place
from services.monitor.records import Answered, Asked

KEEP = 5
LAB = Place(0, "lab")
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
    """Read both as a monitor does that is killed now and then, also while it saves.

    It goes on from what the changelog holds, and from the records that were acknowledged, or from before these.
    """
    source, at = (commands, events), [0, 0]
    ledger, changelog, committed = Ledger(), dict[bytes, bytes](), [0, 0]
    kills = 5
    while at[0] < len(commands) or at[1] < len(events):
        topic = chance.randrange(2)
        for record in source[topic][at[topic] : at[topic] + chance.randint(1, 4)]:
            ledger.changed(LAB, apply(ledger.at(LAB), *record))
            at[topic] += 1
        is_killed = kills > 0 and chance.random() < 0.2
        if chance.random() < 0.3 and save(ledger, changelog, chance, is_killed=is_killed):
            committed = [chance.randint(before, now) for before, now in zip(committed, at, strict=True)]
        if is_killed:
            kills -= 1
            ledger, at = Ledger(), list(committed)
            ledger.restore(changelog)
    return ledger.at(LAB)


def save(ledger: Ledger, changelog: dict[bytes, bytes], chance: Random, *, is_killed: bool) -> bool:
    """Write what has changed, when `is_killed` only a part of it; tell whether all of it was written."""
    for writing in ledger.writings(ledger.take_unsaved()):
        for values in writing[1:]:
            for key, value in values.items():
                if is_killed and chance.random() < 0.3:
                    return False
                if value is None:
                    changelog.pop(key, None)
                else:
                    changelog[key] = value
    return True


def apply(activity: Activity, kind: str, offset: int, what: Any) -> set[int]:
    if kind == "asked":
        apply_asked(activity, offset, what)
    elif kind == "answered":
        return apply_answered(activity, offset, what, KEEP)
    else:
        apply_unreadable(activity, what, offset, "no CloudEvent")
    return set()


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
    assert activity.minutes[0].types["PipelineRequested"].refused == {}
    assert activity.minutes[1].types["PipelineRequested"].refused == {"no": 1}
    assert activity.open == {}


def test_minutes_that_are_too_old_are_let_go_also_when_they_come_late() -> None:
    late = [("answered", offset, answered(offset, minute * MINUTE_MS)) for offset, minute in enumerate([9, 3, 4, 5])]
    assert sorted(fold(late).minutes) == [5, 9]


def test_a_minute_that_was_saved_before_the_rest_counts_no_result_twice() -> None:
    # Given a minute with two results, and a head that knows of none: the monitor was killed between the two
    saved = fold([("answered", 0, answered(0)), ("answered", 3, answered(1))]).minutes
    activity = Activity(minutes=saved)
    # When both come again, and one more
    for offset, position in ((0, 0), (3, 1), (6, 2)):
        apply_answered(activity, offset, answered(position), KEEP)
    # Then
    assert activity.minutes[0].types["PipelineRequested"].results == 3


def test_a_result_tells_which_minutes_it_has_changed_and_which_were_let_go() -> None:
    activity = fold([("answered", 0, answered(0)), ("answered", 1, answered(1, 2 * MINUTE_MS))])
    assert apply_answered(activity, 2, answered(2, KEEP * MINUTE_MS), KEEP) == {0, KEEP}
    assert apply_answered(activity, 3, answered(3, KEEP * MINUTE_MS), KEEP) == {KEEP}
    assert apply_answered(activity, 4, answered(4), KEEP) == set()


class Walked(dict[int, Minute]):
    """Minutes that count how often they are walked."""

    walks = 0

    def __iter__(self) -> Iterator[int]:
        self.walks += 1
        return super().__iter__()


def test_results_of_one_minute_do_not_walk_the_other_ones() -> None:
    activity = Activity(minutes=Walked())
    for offset in range(100):
        apply_answered(activity, offset, answered(offset, 10 + offset), KEEP)
    assert cast("Walked", activity.minutes).walks <= 2


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
    assert activity.minutes[0].types["PipelineRequested"].results == 2
    assert (activity.decided, activity.sequence) == (6, 6)


def test_a_history_that_goes_on_over_a_new_commands_topic_is_counted_on() -> None:
    activity = fold([("answered", 0, answered(500)), ("answered", 1, replace(answered(0), sequence=502))])
    assert activity.minutes[0].types["PipelineRequested"].results == 2


def test_an_old_minute_goes_also_when_a_kill_came_between_the_new_one_and_its_going() -> None:
    # Given what a save has left that was killed in the middle: the new minute is there, and the old one still
    new = (KEEP + 1) * MINUTE_MS
    whole = fold([("answered", 0, answered(0)), ("answered", 3, answered(1, new, new))])
    half = fold([("answered", 0, answered(0))])
    half.minutes[KEEP + 1] = whole.minutes[KEEP + 1]
    # When the record comes again
    gone = apply(half, "answered", 3, answered(1, new, new))
    # Then
    assert (half, gone) == (whole, {0, KEEP + 1})
