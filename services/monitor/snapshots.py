"""Writes to Postgres what the query service tells of activity: a view of the monitor's own, not the projection."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from services.kit.partitions import partition_of
from services.kit.postgres import Connection, load_queries
from services.monitor.activity import Activity, minutes_as_json
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
        "minutes": minutes_as_json(activity),
        "unreadable": activity.unreadable,
    }
    return json.dumps(told, separators=(",", ":"), sort_keys=True)


def is_told(place: Place, partitions: int) -> bool:
    """Tell whether a place is where its environment lives; a misrouted record may name it elsewhere."""
    return place.environment == NO_ENVIRONMENT or partition_of(place.environment, partitions) == place.partition


async def tell_activities(connection: Connection, activities: Mapping[Place, Activity | None]) -> None:
    """Write the numbers of environments; None where nothing is known any more."""
    known = [(place, document_of(each)) for place, each in activities.items() if each is not None]
    gone = [place for place, each in activities.items() if each is None]
    if known:
        await sql.put_documents(
            connection,
            environments=[place.environment for place, _ in known],
            partitions=[place.partition for place, _ in known],
            documents=[document for _, document in known],
        )
    if gone:
        await sql.drop_documents(
            connection,
            environments=[place.environment for place in gone],
            partitions=[place.partition for place in gone],
        )


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
