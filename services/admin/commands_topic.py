"""Accepts a commands topic that is not the one the cursors come from: it was made anew, or has lost commands."""

import argparse
from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from aiokafka.errors import KafkaError

from events.topics import COMMANDS_TOPIC, EVENTS_TOPIC
from services.admin.control import ControlError
from services.kit.commands_log import CommandsLog, read_commands_log, read_ends
from services.kit.postgres import CONNECT_TIMEOUT_S, Connection
from services.kit.reasons import reason_of
from services.kit.settings import KafkaSettings, Settings
from services.kit.statements import load_queries

PATIENCE_S = 1800.0

_sql = load_queries(__file__)


class Move(NamedTuple):
    """A cursor that cannot go on, and where it would."""

    partition: int
    reason: str
    next_offset: int
    goes_on_at: int
    is_reused: bool

    def as_json(self) -> dict[str, Any]:
        """Return the move as it is printed."""
        return {
            "partition": self.partition,
            "reason": self.reason,
            "cursor_was": self.next_offset,
            "goes_on_at": self.goes_on_at,
            "log_makes_room": self.is_reused,
        }


async def accept_commands_topic(settings: Settings, given: argparse.Namespace) -> Any:
    """Move the cursors that cannot go on to their place in the topic as it is now. Raises ControlError."""
    topic = COMMANDS_TOPIC.name(settings.kafka.topic_prefix)
    try:
        held = await read_commands_log(settings.kafka, topic)
        _, ends = await read_ends(settings.kafka, EVENTS_TOPIC.name(settings.kafka.topic_prefix))
    except (KafkaError, OSError, TimeoutError) as error:
        raise ControlError(
            f"Kafka does not tell what the topics hold (PIPELOOM_KAFKA__BOOTSTRAP_SERVERS): {reason_of(error)}."
        ) from error
    connection = await asyncpg.connect(
        settings.postgres.dsn.get_secret_value(),
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=PATIENCE_S,
        server_settings={"application_name": "pipeloom admin", "lock_timeout": "5s"},
    )
    try:
        async with connection.transaction():
            moves = await _moves(connection, topic, held)
            if not given.dry_run:
                await _accept(connection, settings.kafka, held, ends, moves)
    finally:
        await connection.close()
    return {"accepted": not given.dry_run, "partitions": [move.as_json() for move in moves]}


async def _moves(connection: Connection, topic: str, held: dict[int, CommandsLog]) -> list[Move]:
    moves = []
    async for row in _sql.read_cursors(connection, topic=topic):
        partition, place, identity = row["partition"], row["next_offset"], UUID(int=row["topic_id"].int)
        if partition not in held:
            raise ControlError(
                f"The topic {topic} has {len(held)} partitions, but the cursors know partition {partition}. Raise both "
                "topics to as many partitions as before, and try again: an environment belongs to one of them."
            )
        log = held[partition]
        reason = log.cannot_go_on(place, identity)
        if reason:
            reused = log.uses_offsets_again(place, identity)
            moves.append(Move(partition, reason, place, log.place_to_go_on(place, identity), reused))
    if not moves:
        raise ControlError(f"Every cursor has its place in the topic {topic}: there is nothing to accept.")
    return moves


async def _accept(
    connection: Connection,
    kafka: KafkaSettings,
    held: dict[int, CommandsLog],
    events_end: Any,
    moves: list[Move],
) -> None:
    reused = [move.partition for move in moves if move.is_reused]
    if reused:
        await _demand_published(connection, EVENTS_TOPIC.name(kafka.topic_prefix), reused)
        await _make_room(connection, reused, [events_end[partition] for partition in reused])
    await _sql.move_cursors(
        connection,
        topic=COMMANDS_TOPIC.name(kafka.topic_prefix),
        topic_id=held[moves[0].partition].topic_id,
        partitions=[move.partition for move in moves],
        next_offsets=[move.goes_on_at for move in moves],
    )


async def _demand_published(connection: Connection, topic: str, partitions: Collection[int]) -> None:
    """Refuse while a relay runs, or while it has not published all: it would take old events for published ones."""
    unpublished = [row["partition"] async for row in _sql.find_unpublished(connection, partitions=list(partitions))]
    if unpublished:
        raise ControlError(
            f"Events of partitions {unpublished} are not published yet. Run a relay until its lag is 0, stop it, and "
            "try again."
        )
    for partition in partitions:
        if not await _sql.own_publishing(connection, topic=topic, partition=partition):
            raise ControlError(f"A relay owns partition {partition}. Stop every relay, and try again.")


async def _make_room(connection: Connection, partitions: list[int], ends: list[int]) -> None:
    distance = await _sql.find_distance(connection, partitions=partitions)
    if distance is not None:
        for lower in (_sql.lower_events, _sql.lower_inbox, _sql.lower_dead_letters, _sql.lower_horizons):
            await lower(connection, distance=distance, partitions=partitions)
    await _sql.publish_from(connection, partitions=partitions, ends=ends)
