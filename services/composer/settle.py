"""Decides and saves a batch; a record that breaks us is refused, so that the partition goes on."""

import asyncpg
import structlog

from events.envelope import Command
from services.composer.claims import Claims
from services.composer.compose import Taken, compose, needs_of, refuse_as_broken
from services.composer.store import Claim, Rows, load_state, rows_of, save_rows
from services.kit.postgres import POSTGRES_TROUBLE, Connection

log = structlog.get_logger()


class Undecidable(Exception):  # noqa: N818 - it names what happened to the batch
    """A rule, or what is stored, broke on a batch: a bug of ours, which repeating would meet again."""


# The batch itself is at fault, not the connection: repeating it as it is would never succeed.
POISON = (Undecidable, asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


async def settle(connection: Connection, topic: str, claims: Claims, batch: list[Taken]) -> bool:
    """Decide and save `batch`, then advance the claims. Returns False when a partition is owned by somebody else."""
    try:
        return await _settle(connection, topic, claims, batch)
    except POISON:
        log.exception("a batch is settled one by one", records=len(batch))
    return await _settle_one_by_one(connection, topic, claims, batch)


async def _settle(connection: Connection, topic: str, claims: Claims, batch: list[Taken]) -> bool:
    moves = _moves(claims, batch)
    if moves is None:
        return False
    rows = await _decide(connection, batch)
    saved = await save_rows(connection, topic, moves, rows)
    if saved:
        claims.advance(moves)
    return saved


async def _decide(connection: Connection, batch: list[Taken]) -> Rows:
    try:
        return rows_of(compose(batch, await load_state(connection, needs_of(batch))))
    except POSTGRES_TROUBLE:
        raise
    except Exception as error:
        raise Undecidable from error


async def _settle_one_by_one(connection: Connection, topic: str, claims: Claims, batch: list[Taken]) -> bool:
    for record, taken in batch:
        try:
            saved = await _settle(connection, topic, claims, [(record, taken)])
        except POISON:
            if not isinstance(taken, Command):
                raise
            log.exception("a command is refused as broken", partition=record.partition, offset=record.offset)
            saved = await _settle(connection, topic, claims, [(record, refuse_as_broken(record, taken))])
        if not saved:
            return False
    return True


def _moves(claims: Claims, batch: list[Taken]) -> dict[Claim, int] | None:
    """Return where each claim goes, or None when a partition of the batch was given up meanwhile."""
    moves: dict[Claim, int] = {}
    for record, _ in batch:
        claim = claims.get(record.partition)
        if claim is None:
            return None
        moves[claim] = record.offset + 1
    return moves
