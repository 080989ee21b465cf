"""Who is overdue, and what is told of it."""

from services.monitor.activity import Activity, Open
from services.monitor.ledger import Place
from services.monitor.overdue import candidates, notice, notice_of

PLACE = Place(2, "lab")


def waiting(**commands: int) -> Activity:
    opened = {int(name[1:]): Open(f"id-{name}", "StepRequested", asked_ms) for name, asked_ms in commands.items()}
    return Activity(open=opened)


def test_a_command_is_overdue_by_what_is_known_not_by_the_clock() -> None:
    activity = waiting(_1=0, _2=5_000)
    assert candidates(activity, until_ms=9_000, after_s=10) == []
    assert candidates(activity, until_ms=10_001, after_s=10) == [1]
    assert candidates(activity, until_ms=15_001, after_s=10) == [1, 2]


def test_a_command_is_told_once() -> None:
    activity = waiting(_1=0)
    assert notice(activity, [1], [], now_ms=20_000)
    assert not notice(activity, [1], [], now_ms=21_000)
    (told,) = activity.outbox
    notified = notice_of(PLACE, told, 10)
    assert notified.id == "id-_1.overdue-2-1"
    assert notified.time == "1970-01-01T00:00:20.000Z"
    assert notified.data.model_dump() == {
        "command_id": "id-_1",
        "command_type": "StepRequested",
        "asked_at": "1970-01-01T00:00:00.000Z",
        "overdue_after_s": 10.0,
    }


def test_a_repeat_without_a_result_of_its_own_is_closed_and_not_told() -> None:
    activity = waiting(_1=0)
    assert notice(activity, [1], [1], now_ms=20_000)
    assert (activity.open, activity.outbox) == ({}, [])


def test_a_repeat_that_was_told_before_recovers() -> None:
    activity = waiting(_1=0)
    notice(activity, [1], [], now_ms=20_000)
    notice(activity, [1], [1], now_ms=30_000)
    told = [notice_of(PLACE, each, 10) for each in activity.outbox]
    assert [type(each.data).__name__ for each in told] == ["CommandOverdue", "CommandRecovered"]
    assert told[1].id == "id-_1.recovered-2-1"


def test_a_command_that_has_its_result_meanwhile_is_not_told() -> None:
    activity = waiting()
    assert not notice(activity, [1], [], now_ms=20_000)


def test_a_time_that_a_producer_made_up_is_told_as_the_epoch() -> None:
    activity = waiting(_1=-(10**18))
    notice(activity, [1], [], now_ms=20_000)
    assert notice_of(PLACE, activity.outbox[0], 10).data.asked_at == "1970-01-01T00:00:00.000Z"
