"""Loads what a batch names and saves what it changes, each in one round trip."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from events.resources import Deployment, EnvironmentVariable, Pipeline, Step
from services.composer.batch import BatchNeeds, BatchState, CommandKey, DeadLetter, Outcome
from services.composer.decider.needs import Needs
from services.composer.decider.state import EnvironmentState, Kept, Shelf
from services.kit.documents import documents_of
from services.kit.notices import decided_notice
from services.kit.postgres import Connection
from services.kit.statements import load_queries

Rows = dict[str, Any]

_sql = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Claim:
    """A partition that is owned: every save proves the epoch and the offset that it goes on from."""

    partition: int
    epoch: int
    next_offset: int


class Cursor(NamedTuple):
    """What a claim found: the claim, and the id of the topic that its offset belongs to."""

    claim: Claim
    topic_id: UUID


async def claim_partition(
    connection: Connection, topic: str, partition: int, topic_id: UUID, first_offset: int, owner: str
) -> Cursor:
    """Take a partition over from whoever had it; a partition never seen starts at `first_offset`."""
    row = await _sql.claim_partition(
        connection, topic=topic, partition=partition, topic_id=topic_id, first_offset=first_offset, owner=owner
    )
    return Cursor(Claim(partition, row["epoch"], row["next_offset"]), UUID(int=row["topic_id"].int))


async def load_state(connection: Connection, needs: BatchNeeds) -> BatchState:
    """Return what Postgres holds of everything that a batch names."""
    state = BatchState()
    commands = list(needs.commands)
    rows = _sql.load_state(
        connection,
        environments=list(needs.environments),
        command_environments=[key.environment for key in commands],
        command_ids=[key.command_id for key in commands],
        **_names(needs.environments, "step", lambda each: each.steps),
        **_names(needs.environments, "pipeline", lambda each: each.pipelines),
        **_names(needs.environments, "deployment", lambda each: each.deployments),
        **_names(needs.environments, "variable", lambda each: each.variables),
        **_names(needs.environments, "doomed_step", lambda each: each.doomed_steps),
        **_names(needs.environments, "doomed_pipeline", lambda each: each.doomed_pipelines),
    )
    found = [row async for row in rows]
    for row in found:
        if row["kind"] == "environment":
            state.environments[row["environment"]] = nothing_of(needs.environments[row["environment"]], row["version"])
    for row in found:
        _put(state, row)
    return state


def _names(environments: Mapping[str, Needs], kind: str, pick: Any) -> dict[str, list[str]]:
    pairs = [(environment, name) for environment, needs in environments.items() for name in pick(needs)]
    return {f"{kind}_environments": [pair[0] for pair in pairs], f"{kind}_names": [pair[1] for pair in pairs]}


def nothing_of(needs: Needs, sequence: int) -> EnvironmentState:
    """Return an environment that holds nothing of what a batch names of it."""
    state = EnvironmentState(sequence)
    for name in needs.steps:
        state.steps.load(name, None)
    for name in needs.pipelines:
        state.pipelines.load(name, None)
    for name in needs.deployments:
        state.deployments.load(name, None)
    for name in needs.variables:
        state.variables.load(name, None)
    return state


def _put(state: BatchState, row: asyncpg.Record) -> None:
    environment = state.environments.get(row["environment"])
    match row["kind"]:
        case "command":
            state.inbox[CommandKey(row["environment"], UUID(row["name"]))] = row["fingerprint"]
        case "step" if environment:
            environment.steps.load(row["name"], Kept(Step.model_validate_json(row["body"]), row["version"]))
        case "pipeline" if environment:
            environment.pipelines.load(row["name"], Kept(Pipeline.model_validate_json(row["body"]), row["version"]))
        case "deployment" if environment:
            environment.deployments.load(row["name"], Kept(Deployment.model_validate_json(row["body"]), row["version"]))
        case "variable" if environment:
            variable = EnvironmentVariable.model_validate_json(row["body"])
            environment.variables.load(row["name"], Kept(variable, row["version"]))


def rows_of(outcome: Outcome) -> Rows:
    """Return what `outcome` changes as the parameters of the statement that saves it. Pure."""
    return {
        "notice": decided_notice(outcome.events),
        **_heads(outcome),
        **_inbox(outcome),
        **_events(outcome),
        **_dead_letters(outcome.dead_letters),
        **_projection(outcome.state),
    }


async def save_rows(connection: Connection, topic: str, moves: Mapping[Claim, int], rows: Rows) -> bool:
    """Save what a batch changes and move each claim's cursor to its new offset, all or nothing.

    Returns False when a partition was claimed by somebody else: nothing is changed then.
    """
    saved: bool = await _sql.save_batch(
        connection,
        topic=topic,
        cursor_partitions=[claim.partition for claim in moves],
        cursor_epochs=[claim.epoch for claim in moves],
        cursor_from=[claim.next_offset for claim in moves],
        cursor_to=list(moves.values()),
        **rows,
    )
    return saved


def _heads(outcome: Outcome) -> dict[str, list[Any]]:
    changed = {event.environment for event in outcome.events if event.sequence is not None}
    return {
        "head_environments": list(changed),
        "head_sequences": [outcome.state.environments[environment].sequence for environment in changed],
    }


def _inbox(outcome: Outcome) -> dict[str, list[Any]]:
    return {
        "inbox_environments": [entry.key.environment for entry in outcome.inbox],
        "inbox_ids": [entry.key.command_id for entry in outcome.inbox],
        "inbox_fingerprints": [entry.fingerprint for entry in outcome.inbox],
        "inbox_partitions": [entry.partition for entry in outcome.inbox],
        "inbox_offsets": [entry.position.offset for entry in outcome.inbox],
        "inbox_indexes": [entry.position.index for entry in outcome.inbox],
    }


def _events(outcome: Outcome) -> dict[str, list[Any]]:
    events = outcome.events
    return {
        "event_partitions": [event.partition for event in events],
        "event_offsets": [event.position.offset for event in events],
        "event_indexes": [event.position.index for event in events],
        "event_environments": [event.environment for event in events],
        "event_sequences": [event.sequence for event in events],
        "event_types": [event.type for event in events],
        "event_versions": [event.version for event in events],
        "event_subjects": [event.subject for event in events],
        "event_command_ids": [event.command_id for event in events],
        "event_command_sources": [event.command_source for event in events],
        "event_results": [event.is_result for event in events],
        "event_actors": [event.actor for event in events],
        "event_times": [datetime.fromisoformat(event.time) for event in events],
        "event_traceparents": [event.traceparent for event in events],
        "event_data": [event.data for event in events],
    }


def _dead_letters(letters: Iterable[DeadLetter]) -> dict[str, list[Any]]:
    letters = list(letters)
    return {
        "dead_partitions": [letter.record.partition for letter in letters],
        "dead_offsets": [letter.record.offset for letter in letters],
        "dead_environments": [letter.environment for letter in letters],
        "dead_command_ids": [letter.command_id for letter in letters],
        "dead_codes": [letter.refusal.code.value for letter in letters],
        "dead_messages": [letter.refusal.message for letter in letters],
        "dead_keys": [letter.record.key for letter in letters],
        "dead_values": [letter.record.value for letter in letters],
        "dead_headers": [_headers_text(letter) for letter in letters],
        "dead_times": [letter.record.timestamp for letter in letters],
    }


def _headers_text(letter: DeadLetter) -> str:
    """Return the headers as a JSON list of pairs; bytes that are not UTF-8 stand as escapes."""
    pairs = [(name, (value or b"").decode("utf-8", errors="backslashreplace")) for name, value in letter.record.headers]
    return json.dumps(pairs)


def _projection(state: BatchState) -> dict[str, list[Any]]:
    environments = state.environments.items()
    steps = [(name, kept) for name, kept in _changes((env, each.steps) for env, each in environments)]
    pipelines = [(name, kept) for name, kept in _changes((env, each.pipelines) for env, each in environments)]
    deployments = [(name, kept) for name, kept in _changes((env, each.deployments) for env, each in environments)]
    variables = [(name, kept) for name, kept in _changes((env, each.variables) for env, each in environments)]
    return {
        **_rows("step", steps),
        "step_statuses": [kept.resource.status.value for _, kept in steps if kept],
        **_rows("pipeline", pipelines),
        "pipeline_steps": [kept.resource.step_names[0] for _, kept in pipelines if kept],
        **_rows("deployment", deployments),
        "deployment_pipelines": [kept.resource.pipeline_name for _, kept in deployments if kept],
        **_bare_rows("variable", variables),
    }


def _changes(shelves: Iterable[tuple[str, Shelf[Any]]]) -> Iterable[tuple[tuple[str, str], Kept[Any] | None]]:
    for environment, shelf in shelves:
        for name, kept in shelf.changes():
            yield (environment, name), kept


def _rows(kind: str, changes: list[tuple[tuple[str, str], Kept[Any] | None]]) -> dict[str, list[Any]]:
    documents = [documents_of(kept.resource) for _, kept in changes if kept]
    return {
        **_bare_rows(kind, changes),
        f"{kind}_documents": [each.document for each in documents],
        f"{kind}_summaries": [each.summary for each in documents],
    }


def _bare_rows(kind: str, changes: list[tuple[tuple[str, str], Kept[Any] | None]]) -> dict[str, list[Any]]:
    kept_rows = [(key, kept) for key, kept in changes if kept]
    gone = [key for key, kept in changes if not kept]
    return {
        f"{kind}_environments": [key[0] for key, _ in kept_rows],
        f"{kind}_names": [key[1] for key, _ in kept_rows],
        f"{kind}_versions": [kept.version for _, kept in kept_rows],
        f"{kind}_bodies": [kept.resource.model_dump_json() for _, kept in kept_rows],
        f"gone_{kind}_environments": [key[0] for key in gone],
        f"gone_{kind}_names": [key[1] for key in gone],
    }
