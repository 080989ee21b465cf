"""What the composer counts of a batch, and the lag that it tells."""

from dataclasses import replace
from typing import Any, NamedTuple, cast

from aiokafka import TopicPartition
from prometheus_client import REGISTRY

from events.commands import PipelineRequested
from services.composer import metrics
from services.composer.compose import Taken, compose
from tests.unit.composer.test_compose import unusable
from tests.unit.composer.world import batch_state, command, having, received, step

CREATE = PipelineRequested(pipeline_name="p", step_names=["s"])


class Held(NamedTuple):
    next_offset: int


class Consumer:
    def __init__(self, ends: dict[int, int]) -> None:
        self.ends = ends

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition("commands", partition) for partition in self.ends}

    def highwater(self, where: TopicPartition) -> int:
        return self.ends[where.partition]


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def lag(partition: int) -> float | None:
    return value("pipeloom_composer_lag_records", partition=str(partition))


def tell(ends: dict[int, int], cursors: dict[int, int]) -> None:
    held = {partition: Held(offset) for partition, offset in cursors.items()}
    metrics.tell_lag(cast("Any", Consumer(ends)), cast("Any", held))


def test_the_lag_is_what_stands_behind_the_cursor() -> None:
    tell({900: 10, 901: 3}, {900: 4, 901: 3})
    assert (lag(900), lag(901)) == (6, 0)
    assert value("pipeloom_composer_cursor_offset", partition="900") == 4
    tell({}, {})


def test_a_claim_that_is_given_up_while_a_batch_is_held_up_leaves_the_lag_where_it_is() -> None:
    tell({902: 10}, {902: 4})
    tell({902: 50}, {})
    assert lag(902) == 46
    tell({}, {})


def test_a_partition_that_is_somebody_elses_is_not_told_any_more() -> None:
    tell({903: 10}, {903: 4})
    tell({}, {})
    assert lag(903) is None


def composed(kind: str, outcome: str) -> float:
    return value("pipeloom_composer_commands_total", type=kind, outcome=outcome) or 0.0


def settle(*batch: Taken) -> None:
    outcome = compose(batch, batch_state(having(step()), CREATE))
    metrics.tell_settled(batch, outcome)


def test_each_record_of_a_batch_is_counted_by_what_became_of_it() -> None:
    # Given
    outcomes = ("done", "refused", "repeated", "unusable")
    before = {outcome: composed("PipelineRequested", outcome) for outcome in outcomes}
    refusals = value("pipeloom_composer_refusals_total", code="pipeline_exists") or 0.0
    letters = value("pipeloom_composer_dead_letters_total", code="invalid_json") or 0.0
    # When a pipeline is created, the same command comes again, another one wants its name, and one is no command
    created = command(CREATE)
    settle(
        (received(10), created),
        (received(11), created),
        (received(12), command(CREATE)),
        (received(13), unusable()),
    )
    # Then
    assert {outcome: composed("PipelineRequested", outcome) - before[outcome] for outcome in outcomes} == dict.fromkeys(
        outcomes, 1
    )
    assert value("pipeloom_composer_refusals_total", code="pipeline_exists") == refusals + 1
    assert value("pipeloom_composer_dead_letters_total", code="invalid_json") == letters + 1


def test_a_type_that_somebody_made_up_makes_no_series() -> None:
    before = composed("unknown", "unusable")
    settle((received(10), replace(unusable(), command_type="FrobnicateRequested")))
    assert composed("unknown", "unusable") == before + 1
    assert value("pipeloom_composer_commands_total", type="FrobnicateRequested", outcome="unusable") is None
