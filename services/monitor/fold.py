"""Folds the records of both topics into an environment's activity: no Kafka, no clock, the same in any interleaving.

The two topics are read beside each other, each in its own order and some records more than once. So everything that is
counted comes from the result alone (it carries when its command was asked), and what joins the two is the command's
place in its partition, which the result names.
"""

from services.kit.latency import bucket_of
from services.monitor.activity import MAX_OPEN, Activity, Announcement, Minute, Open, Tally
from services.monitor.records import Answered, Asked

MINUTE_MS = 60_000


def apply_asked(activity: Activity, offset: int, asked: Asked) -> None:
    """Take in the command at `offset`: it is open, unless a result of it or of a later one came already."""
    if offset <= activity.commands:
        return
    activity.commands = offset
    activity.newest_ms = max(activity.newest_ms, asked.at_ms)
    if offset <= activity.decided:
        return
    if len(activity.open) >= MAX_OPEN and not _forget_one(activity):
        _not_tracked(activity, offset)
        return
    activity.open[offset] = Open(asked.command_id, asked.type, asked.at_ms)


def apply_answered(activity: Activity, offset: int, answered: Answered, keep_minutes: int) -> set[int]:
    """Take in the result at `offset` of the events topic; a record that repeats an earlier result counts nothing.

    Return which minutes have changed, or were let go.
    """
    if offset <= activity.events:
        return set()
    activity.events = offset
    if answered.sequence is not None:
        if answered.sequence <= activity.sequence:
            return set()
        activity.sequence = answered.sequence
    activity.decided = answered.position
    activity.newest_ms = max(activity.newest_ms, answered.at_ms)
    _close(activity, answered)
    return _count(activity, offset, answered, keep_minutes)


def apply_unreadable(activity: Activity, topic: str, offset: int, reason: str) -> None:
    """Take in a record that is none of ours."""
    applied = activity.commands if topic == "commands" else activity.events
    if offset <= applied:
        return
    if topic == "commands":
        activity.commands = offset
    else:
        activity.events = offset
    activity.unreadable[reason] = activity.unreadable.get(reason, 0) + 1


def _count(activity: Activity, offset: int, answered: Answered, keep_minutes: int) -> set[int]:
    number = answered.at_ms // MINUTE_MS
    minute = activity.minutes.get(number)
    if minute is not None and offset > minute.counted:
        _add(minute, offset, answered)
        return {number}
    # A new minute; or one that was saved, while what it belongs to was not, nor perhaps that an old one went for it.
    oldest = max(number, max(activity.minutes, default=number)) - keep_minutes
    too_old = {each for each in activity.minutes if each <= oldest}
    for each in too_old:
        del activity.minutes[each]
    if number <= oldest:
        return too_old
    if minute is None:
        activity.minutes[number] = Minute()
        _add(activity.minutes[number], offset, answered)
    return {number, *too_old}


def _add(minute: Minute, offset: int, answered: Answered) -> None:
    minute.counted = offset
    tally = minute.types.setdefault(answered.type, Tally())
    tally.results += 1
    if answered.refused:
        tally.refused[answered.refused] = tally.refused.get(answered.refused, 0) + 1
    bucket = bucket_of(answered.at_ms - answered.asked_ms)
    tally.latencies[bucket] = tally.latencies.get(bucket, 0) + 1


def _close(activity: Activity, answered: Answered) -> None:
    """Close the command, and those before it: what was decided without a result of its own repeats another one."""
    for offset in [each for each in activity.open if each <= answered.position]:
        command = activity.open.pop(offset)
        if command.is_overdue:
            activity.outbox.append(Announcement(offset, command, answered.at_ms, answered.at_ms))
    if answered.position >= activity.untracked_to:
        activity.untracked = 0


def _forget_one(activity: Activity) -> bool:
    """Make room: the oldest command that nobody was told of. A reader that is far behind meets its result soon."""
    for offset, command in activity.open.items():
        if not command.is_overdue:
            del activity.open[offset]
            _not_tracked(activity, offset)
            return True
    return False


def _not_tracked(activity: Activity, offset: int) -> None:
    activity.untracked += 1
    activity.untracked_to = max(activity.untracked_to, offset)
