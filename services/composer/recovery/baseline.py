"""Where a replay begins: at the first event, or at the baseline that stands for the events that were pruned."""

from collections.abc import AsyncIterator
from typing import Any

from events.envelope import Position
from events.resources import Deployment, EnvironmentVariable, Pipeline, Step
from services.composer.decider.state import EnvironmentState
from services.composer.recovery.replay import BEGINNING, Place, keep_replayed
from services.kit.postgres import Connection
from services.kit.statements import load_queries

PIECE_ROWS = 500
PIECE_BYTES = 8 * 1024 * 1024

_sql = load_queries(__file__)


async def read_horizon(connection: Connection, environment: str) -> Place:
    """Return up to where the history of an environment was pruned; its beginning when it is whole."""
    row = await _sql.read_horizon(connection, environment=environment)
    if row is None:
        return BEGINNING
    return Place(row["sequence"], row["partition"], Position(row["log_offset"], row["log_index"]))


async def read_horizons(connection: Connection) -> dict[str, int]:
    """Return the last place that is gone of each history that was pruned."""
    return {row["environment"]: row["sequence"] async for row in _sql.read_horizons(connection)}


async def lay_out_baseline(connection: Connection, environment: str, reached: Place = BEGINNING) -> Place:
    """Return where to replay from: where one came to before, or the horizon when the log begins behind that.

    Then the baseline is what was replayed. Needs a transaction.
    """
    horizon = await read_horizon(connection, environment)
    if reached.sequence >= horizon.sequence:
        return reached
    await _sql.clear_replayed(connection, environment=environment)
    async for state in _pieces(connection, environment):
        await keep_replayed(connection, environment, state)
    return horizon


async def _pieces(connection: Connection, environment: str) -> AsyncIterator[EnvironmentState]:
    rows, weight = 0, 0
    state = EnvironmentState()
    async with _sql.read_baseline_cursor(connection, environment=environment) as found:
        async for row in found:
            _put(state, row)
            rows, weight = rows + 1, weight + len(row["body"])
            if rows >= PIECE_ROWS or weight >= PIECE_BYTES:
                yield state
                rows, weight, state = 0, 0, EnvironmentState()
    if rows:
        yield state


def _put(state: EnvironmentState, row: Any) -> None:
    name, version, body = row["name"], row["version"], row["body"]
    match row["kind"]:
        case "step":
            state.steps.put(name, Step.model_validate_json(body), version)
        case "pipeline":
            state.pipelines.put(name, Pipeline.model_validate_json(body), version)
        case "deployment":
            state.deployments.put(name, Deployment.model_validate_json(body), version)
        case _:
            state.variables.put(name, EnvironmentVariable.model_validate_json(body), version)
