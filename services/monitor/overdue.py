"""Which commands have had no result for too long, and what is told of them."""

from collections.abc import Collection
from datetime import UTC, datetime

from events.activity import CommandOverdue, CommandRecovered, Notice
from events.envelope import timestamp
from services.monitor.activity import MAX_OPEN, Activity, Announcement
from services.monitor.ledger import Place

# What a producer may claim as a record's time, and Python cannot tell as a date.
LAST_MS = 253_402_214_400_000


def candidates(activity: Activity, until_ms: int, after_s: float) -> list[int]:
    """Return the offsets of commands that had no result `after_s` seconds after they were asked for.

    `until_ms` is up to when every published result is known. Those that were noticed before are among them.
    """
    latest = until_ms - after_s * 1000
    return [offset for offset, command in activity.open.items() if command.is_overdue or command.asked_ms < latest]


def notice(activity: Activity, late: Collection[int], settled: Collection[int], now_ms: int) -> bool:
    """Mark what is overdue and close what is `settled`: decided, without a result of its own. Tell of any change."""
    changed = False
    for offset in late:
        command = activity.open.get(offset)
        if command is None:
            continue
        if offset in settled:
            del activity.open[offset]
            if command.is_overdue:
                activity.outbox.append(Announcement(offset, command, now_ms, now_ms))
            changed = True
        elif not command.is_overdue and len(activity.outbox) < MAX_OPEN:  # the others when those are told
            command.is_overdue = True
            activity.outbox.append(Announcement(offset, command, now_ms))
            changed = True
    return changed


def notice_of(place: Place, announced: Announcement, after_s: float) -> Notice:
    """Return what is told. Its id is the same however often it is told: by the command's id and place."""
    command, answered_ms = announced.command, announced.answered_ms
    told = {"command_id": command.command_id, "command_type": command.type, "asked_at": moment(command.asked_ms)}
    data: CommandOverdue | CommandRecovered
    if answered_ms is None:
        data = CommandOverdue(**told, overdue_after_s=after_s)
    else:
        data = CommandRecovered(**told, answered_at=moment(answered_ms))
    kind = "overdue" if answered_ms is None else "recovered"
    return Notice(
        id=f"{command.command_id}.{kind}-{place.partition}-{announced.offset}",
        environment=place.environment,
        time=moment(announced.noticed_ms),
        data=data,
    )


def moment(milliseconds: int) -> str:
    """Return a moment as text; the epoch for one that a producer made up."""
    return timestamp(datetime.fromtimestamp((milliseconds if 0 <= milliseconds < LAST_MS else 0) / 1000, UTC))
