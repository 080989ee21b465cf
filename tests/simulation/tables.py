"""Postgres in memory: the tables, and each named statement of composer and relay as an operation on them.

Statements come as the real code sends them, with all of their parameters, and are all or nothing. What the SQL says is
held against this by the contract tests, which run on both.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

Row = dict[str, Any]
Key = tuple[str, str]
PROJECTION = ("step", "pipeline", "deployment", "variable")


class Moved(NamedTuple):
    """A cursor that was claimed (`start` is None) or moved: what the checks afterwards look at."""

    partition: int
    epoch: int
    start: int | None
    end: int


@dataclass
class Tables:
    """All rows, and what was done to the cursors in its order."""

    environments: set[str] = field(default_factory=set)
    heads: dict[str, int] = field(default_factory=dict)
    inbox: dict[tuple[str, UUID], Row] = field(default_factory=dict)
    events: dict[tuple[int, int, int], Any] = field(default_factory=dict)
    dead_letters: dict[tuple[int, int], Row] = field(default_factory=dict)
    cursors: dict[tuple[str, int], Row] = field(default_factory=dict)
    positions: dict[int, Row] = field(default_factory=dict)
    locks: dict[tuple[str, int], int] = field(default_factory=dict)
    rows: dict[str, dict[Key, Row]] = field(default_factory=lambda: {kind: {} for kind in PROJECTION})
    moves: list[Moved] = field(default_factory=list)
    on_notice: list[Callable[[str], None]] = field(default_factory=list)

    def claim_partition(self, session: int, **given: Any) -> Row:
        key = (given["topic"], given["partition"])
        row = self.cursors.get(key)
        if row is None:
            row = {"epoch": 0, "next_offset": given["first_offset"], "topic_id": given["topic_id"]}
        row = self.cursors[key] = {**row, "epoch": row["epoch"] + 1}
        self.moves.append(Moved(given["partition"], row["epoch"], None, row["next_offset"]))
        return row

    def load_state(self, session: int, **given: Any) -> list[Row]:
        found = [
            _loaded("environment", each, version=self.heads.get(each, 0))
            for each in given["environments"]
            if each in self.environments
        ]
        for environment, command_id in _columns(given, "command", "environments", "ids"):
            taken = self.inbox.get((environment, command_id))
            if taken:
                found.append(_loaded("command", environment, str(command_id), fingerprint=taken["fingerprint"]))
        pipelines = {*_names(given, "pipeline"), *_names(given, "doomed_pipeline")}
        doomed = set(_names(given, "doomed_pipeline")) | self._children("pipeline", set(_names(given, "doomed_step")))
        deployments = set(_names(given, "deployment")) | self._children("deployment", doomed)
        wanted = {
            "step": set(_names(given, "step")),
            "pipeline": pipelines | doomed,
            "deployment": deployments,
            "variable": set(_names(given, "variable")),
        }
        for kind, keys in wanted.items():
            for key in sorted(keys & self.rows[kind].keys()):
                row = self.rows[kind][key]
                found.append(_loaded(kind, *key, version=row["version"], body=row["body"]))
        return found

    def save_batch(self, session: int, **given: Any) -> bool:
        moves = list(_columns(given, "cursor", "partitions", "epochs", "from", "to"))
        if not all(self._holds(given["topic"], *move[:3]) for move in moves):
            return False
        inbox, events, letters = _inbox_rows(given), _event_rows(given), _letter_rows(given)
        self._demand_new(inbox, events, letters)
        self._put_projection(given)
        self.inbox.update(inbox)
        self.events.update(events)
        self.dead_letters.update(letters)
        self.heads.update(_columns(given, "head", "environments", "sequences"))
        for partition, epoch, start, end in moves:
            self.cursors[given["topic"], partition]["next_offset"] = end
            self.moves.append(Moved(partition, epoch, start, end))
        for tell in self.on_notice:
            tell(given["notice"])
        return True

    def read_after(self, session: int, **given: Any) -> list[Row]:
        after = (given["partition"], given["log_offset"], given["log_index"])
        keys = sorted(key for key in self.events if key[0] == after[0] and key > after)
        return [self.events[key] for key in keys[: given["row_limit"]]]

    def try_lock(self, session: int, **given: Any) -> bool:
        return self.locks.setdefault((given["topic"], given["partition"]), session) == session

    def read_position(self, session: int, **given: Any) -> Row | None:
        return self.positions.get(given["partition"])

    def save_position(self, session: int, **given: Any) -> None:
        self.positions[given["partition"]] = given

    def end_session(self, session: int) -> None:
        """Let go of a session's locks."""
        self.locks = {key: owner for key, owner in self.locks.items() if owner != session}

    def _holds(self, topic: str, partition: int, epoch: int, start: int) -> bool:
        row = self.cursors.get((topic, partition))
        return row is not None and (row["epoch"], row["next_offset"]) == (epoch, start)

    def _children(self, kind: str, parents: set[Key]) -> set[Key]:
        return {key for key, row in self.rows[kind].items() if (key[0], row["parent"]) in parents}

    def _demand_new(self, inbox: Row, events: Row, letters: Row) -> None:
        """Hold the primary keys, and the one that gives each place in a history once."""
        places = {(row["environment"], row["sequence"]) for row in self.events.values()}
        added = [(row["environment"], row["sequence"]) for row in events.values() if row["sequence"] is not None]
        doubled = len(set(added)) < len(added) or places.intersection(added)
        if doubled or inbox.keys() & self.inbox or events.keys() & self.events or letters.keys() & self.dead_letters:
            raise asyncpg.UniqueViolationError("duplicate key value violates unique constraint")

    def _put_projection(self, given: Row) -> None:
        changed = {kind: _changed(self.rows[kind], kind, given) for kind in PROJECTION}
        for child, parent in (("pipeline", "step"), ("deployment", "pipeline")):
            for key, row in changed[child].items():
                if (key[0], row["parent"]) not in changed[parent]:
                    raise asyncpg.ForeignKeyViolationError("insert or delete violates foreign key constraint")
        self.rows.update(changed)


def _loaded(kind: str, environment: str, name: str = "", **given: Any) -> Row:
    return {"kind": kind, "environment": environment, "name": name, "body": None, "fingerprint": None, **given}


def _columns(given: Row, prefix: str, *names: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of an unnest over some array parameters."""
    return zip(*(given[f"{prefix}_{name}"] for name in names), strict=True)


def _names(given: Row, prefix: str) -> Iterator[tuple[Any, ...]]:
    return _columns(given, prefix, "environments", "names")


def _inbox_rows(given: Row) -> dict[Any, Row]:
    columns = ("environments", "ids", "fingerprints", "partitions", "offsets", "indexes")
    rows = [dict(zip(columns, row, strict=True)) for row in _columns(given, "inbox", *columns)]
    return _by(rows, lambda row: (row["environments"], row["ids"]), {"fingerprint": "fingerprints"})


def _by(rows: list[Row], key: Callable[[Row], Any], named: dict[str, str]) -> dict[Any, Row]:
    """Return rows by their key. Raises UniqueViolationError when two have the same."""
    keyed = {key(row): {**row, **{new: row[old] for new, old in named.items()}} for row in rows}
    if len(keyed) < len(rows):
        raise asyncpg.UniqueViolationError("duplicate key value violates unique constraint")
    return keyed


EVENT_COLUMNS = {
    "partitions": "partition",
    "offsets": "log_offset",
    "indexes": "log_index",
    "environments": "environment",
    "sequences": "sequence",
    "types": "type",
    "versions": "version",
    "subjects": "subject",
    "command_ids": "command_id",
    "command_sources": "command_source",
    "results": "is_result",
    "actors": "actor",
    "times": "time",
    "traceparents": "traceparent",
    "data": "data",
}


def _event_rows(given: Row) -> dict[Any, Row]:
    rows = [dict(zip(EVENT_COLUMNS.values(), row, strict=True)) for row in _columns(given, "event", *EVENT_COLUMNS)]
    return _by(rows, lambda row: (row["partition"], row["log_offset"], row["log_index"]), {})


def _letter_rows(given: Row) -> dict[Any, Row]:
    columns = ("partitions", "offsets", "environments", "command_ids", "codes", "values")
    rows = [dict(zip(columns, row, strict=True)) for row in _columns(given, "dead", *columns)]
    return _by(rows, lambda row: (row["partitions"], row["offsets"]), {"code": "codes"})


PARENTS = {"pipeline": "pipeline_steps", "deployment": "deployment_pipelines"}


def _changed(rows: dict[Key, Row], kind: str, given: Row) -> dict[Key, Row]:
    gone = set(_names(given, f"gone_{kind}"))
    kept = {key: row for key, row in rows.items() if key not in gone}
    parents = given[PARENTS[kind]] if kind in PARENTS else [None] * len(given[f"{kind}_names"])
    columns = _columns(given, kind, "environments", "names", "versions", "bodies")
    for (environment, name, version, body), parent in zip(columns, parents, strict=True):
        kept[environment, name] = {"version": version, "body": body, "parent": parent}
    return kept
