"""Decides and saves a batch; a record that breaks us is refused, so that the partition goes on."""

from dataclasses import replace

import asyncpg
import structlog
from opentelemetry.trace import SpanKind

from services.composer.batch import Outcome
from services.composer.claims import Claims
from services.composer.compose import Taken, compose, needs_of, refuse_as_broken
from services.composer.metrics import DECIDE, LOAD, SAVE, tell_settled
from services.composer.store import Claim, Rows, load_state, rows_of, save_rows
from services.composer.traces import POSTGRES, batch_span, names_of
from services.kit.log_context import telling
from services.kit.postgres import POSTGRES_TROUBLE, Connection
from services.kit.tracing import span

log = structlog.get_logger()


class Undecidable(Exception):  # noqa: N818 - it names what happened to the batch
    """A rule, or what is stored, broke on a batch: a bug of ours, which repeating would meet again."""


# The batch itself is at fault, not the connection: repeating it as it is would never succeed.
POISON = (Undecidable, asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


async def settle(connection: Connection, topic: str, claims: Claims, batch: list[Taken]) -> bool:
    """Decide and save `batch`, then advance the claims. Returns False when a partition is owned by somebody else."""
    while batch:
        try:
            settled = await _settle(connection, topic, claims, batch)
        except POISON:
            log.exception("a batch is settled one by one", records=len(batch))
            return await _settle_one_by_one(connection, topic, claims, batch)
        if settled == 0:
            return False
        batch = batch[settled:]
    return True


async def _settle(connection: Connection, topic: str, claims: Claims, batch: list[Taken]) -> int:
    """Save as much of the front of `batch` as one save may hold; return how many records, 0 when fenced."""
    with batch_span(topic, batch) as trace:
        outcome, rows = await _decide(connection, batch)
        moves = _moves(claims, batch[: outcome.records])
        trace.decided()
        if moves is None or not await _save(connection, topic, moves, rows):
            return 0
        claims.advance(moves)
        trace.saved(outcome)
        tell_settled(batch, outcome)
        return outcome.records


async def _save(connection: Connection, topic: str, moves: dict[Claim, int], rows: Rows) -> bool:
    with SAVE.time(), span("save", SpanKind.CLIENT, attributes=POSTGRES):
        return await save_rows(connection, topic, moves, rows)


async def _decide(connection: Connection, batch: list[Taken]) -> tuple[Outcome, Rows]:
    try:
        with LOAD.time(), span("load", SpanKind.CLIENT, attributes=POSTGRES):
            state = await load_state(connection, needs_of(batch))
        with DECIDE.time():
            outcome = compose(batch, state)
            return outcome, rows_of(outcome)
    except POSTGRES_TROUBLE:
        raise
    except Exception as error:
        raise Undecidable from error


async def _settle_one_by_one(connection: Connection, topic: str, claims: Claims, batch: list[Taken]) -> bool:
    for record, taken in batch:
        try:
            settled = await _settle(connection, topic, claims, [(record, taken)])
        except POISON:
            with telling(**names_of((record, taken))):
                log.exception("a record is refused as broken", partition=record.partition, offset=record.offset)
            plain = replace(record, headers=[])
            settled = await _settle(connection, topic, claims, [(plain, refuse_as_broken(record, taken))])
        if settled == 0:
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
