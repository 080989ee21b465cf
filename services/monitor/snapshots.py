"""Writes to Postgres what the query service tells of activity: a view of the monitor's own, not the projection."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.kit.latency import SHARES, packed, percentile_ms
from services.kit.partitions import partition_of
from services.kit.postgres import Connection
from services.kit.statements import load_queries
from services.monitor.activity import Activity, Minute
from services.monitor.ledger import NO_ENVIRONMENT, Place
from services.monitor.measure import Behind
from services.monitor.overdue import LAST_MS

MAX_TOLD = 100

sql = load_queries(__file__)


def document_of(activity: Activity) -> str:
    """Return what is told of an environment, as JSON."""
    late = [(offset, each) for offset, each in activity.open.items() if each.is_overdue]
    told: dict[str, Any] = {
        "open": activity.number_open,
        "overdue": len(late),
        "overdue_commands": [
            {
                "command_id": each.command_id,
                "command_type": each.type,
                "asked_ms": each.asked_ms if 0 <= each.asked_ms < LAST_MS else 0,
            }
            for _, each in late[:MAX_TOLD]
        ],
        "unreadable": activity.unreadable,
    }
    return json.dumps(told, separators=(",", ":"), sort_keys=True)


def tallies_of(minute: Minute) -> str:
    """Return what is told of a minute, as JSON: of each type the results, refusals, percentiles, and histogram."""
    told = {
        name: [
            each.results,
            each.refused,
            [percentile_ms(each.latencies, share) for share in SHARES],
            packed(each.latencies),
        ]
        for name, each in minute.types.items()
    }
    return json.dumps(told, separators=(",", ":"), sort_keys=True)


def is_told(place: Place, partitions: int) -> bool:
    """Tell whether a place is where its environment lives; a misrouted record may name it elsewhere."""
    return place.environment == NO_ENVIRONMENT or partition_of(place.environment, partitions) == place.partition


async def tell_activities(
    connection: Connection, activities: Mapping[Place, Activity], changes: Mapping[Place, Iterable[int]]
) -> None:
    """Write the numbers of environments and the minutes of them that changed; drop what `activities` do not know."""
    known = {place: activities[place] for place in changes if place in activities}
    gone = [place for place in changes if place not in activities]
    minutes = [(place, each) for place in known for each in changes[place]]
    await _put_minutes(connection, known, [each for each in minutes if each[1] in known[each[0]].minutes])
    await _drop_minutes(connection, known, [each for each in minutes if each[1] not in known[each[0]].minutes])
    if known:
        await sql.put_documents(connection, **_columns(known), documents=[document_of(each) for each in known.values()])
    if gone:
        await sql.drop_documents(connection, **_columns(gone))


async def _put_minutes(
    connection: Connection, known: Mapping[Place, Activity], minutes: Sequence[tuple[Place, int]]
) -> None:
    if minutes:
        await sql.put_minutes(
            connection,
            **_columns(place for place, _ in minutes),
            minutes=[minute for _, minute in minutes],
            tallies=[tallies_of(known[place].minutes[minute]) for place, minute in minutes],
        )


async def _drop_minutes(
    connection: Connection, known: Mapping[Place, Activity], minutes: Sequence[tuple[Place, int]]
) -> None:
    if minutes:
        await sql.drop_minutes(
            connection, **_columns(place for place, _ in minutes), minutes=[minute for _, minute in minutes]
        )
    oldest = {place: min(each.minutes) for place, each in known.items() if each.minutes}
    if oldest:
        await sql.drop_older(connection, **_columns(oldest), oldest=list(oldest.values()))


def _columns(places: Iterable[Place]) -> dict[str, list[Any]]:
    told = list(places)
    return {
        "environments": [place.environment for place in told],
        "partitions": [place.partition for place in told],
    }


async def tell_parts(connection: Connection, behind: Sequence[Behind], at_ms: int) -> None:
    """Write how far behind each part is."""
    await sql.put_parts(
        connection,
        parts=[each.part for each in behind],
        partitions=[each.partition for each in behind],
        behind=[each.records for each in behind],
        milliseconds=at_ms,
    )


async def tell_progress(connection: Connection, complete_until: Mapping[int, int]) -> None:
    """Write up to when the numbers are complete."""
    await sql.put_progress(connection, partitions=list(complete_until), moments=list(complete_until.values()))
