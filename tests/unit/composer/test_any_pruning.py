"""Any history, pruned in any pieces: the baseline and the events that stay make what all events made."""

from itertools import islice, pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from events.envelope import Command, Event
from services.composer.batch import BatchState
from services.composer.compose import compose, needs_of
from services.composer.decider.state import EnvironmentState
from services.composer.recovery.replay import BEGINNING, replayed
from tests.support.history import any_commands, taken_of

ENVIRONMENT = "team-a"
SHELVES = ("steps", "pipelines", "deployments", "variables")
Rows = dict[tuple[str, str], Any]


def history(commands: int) -> list[Event]:
    """Return the events of commands that make, change, refuse and delete, decided one after the other."""
    state = EnvironmentState()
    events: list[Event] = []
    for offset, command in enumerate(islice(any_commands(ENVIRONMENT), commands)):
        events += _decided(state, command, offset)
    return events


def _decided(state: EnvironmentState, command: Command, offset: int) -> list[Event]:
    batch = [taken_of(command, 0, offset)]
    for kind in SHELVES:
        for name in getattr(needs_of(batch).environments[ENVIRONMENT], kind):
            shelf = getattr(state, kind)
            if name not in shelf._kept:
                shelf.load(name, None)
    return compose(batch, BatchState({ENVIRONMENT: state})).events


def laid_over(rows: Rows, state: EnvironmentState) -> Rows:
    """Return rows as they are when what `state` changes is written over them."""
    told = dict(rows)
    for kind in SHELVES:
        for name, kept in getattr(state, kind).changes():
            told.pop((kind, name), None)
            if kept is not None:
                told[kind, name] = (kept.resource.model_dump_json(), kept.version)
    return told


@settings(deadline=None, max_examples=40)
@given(commands=st.integers(1, 120), cuts=st.sets(st.integers(0, 200), max_size=8))
def test_a_baseline_and_the_rest_are_the_whole_whatever_was_pruned_when(commands: int, cuts: set[int]) -> None:
    # Given
    events = history(commands)
    whole = replayed(events, BEGINNING)
    # When
    rows: Rows = {}
    place = BEGINNING
    ends = [0, *sorted(cut for cut in cuts if cut < len(events)), len(events)]
    for first, last in pairwise(ends):
        state, place, problems = replayed(events[first:last], place)
        rows = laid_over(rows, state)
        assert problems == []
    # Then
    assert whole.problems == []
    assert rows == laid_over({}, whole.state)
    assert place == whole.place
