"""What is not as the event log says, each thing with its name."""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field

from services.kit.eventlog import read_head
from services.kit.postgres import Connection
from services.kit.statements import load_queries

MAX_NAMED = 1_000

_sql = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is wrong; `environment` is None for what belongs to a partition."""

    environment: str | None
    resource: str
    problem: str

    def __str__(self) -> str:
        where = "" if self.environment is None else f"{self.environment}: "
        return f"{where}{self.resource}: {self.problem}"


@dataclass(slots=True)
class Findings:
    """What a check found: the first MAX_NAMED differences, and how many there are in all."""

    environments: int = 0
    events: int = 0
    resources: int = 0
    differences_total: int = 0
    differences: list[Difference] = field(default_factory=list)

    def add(self, difference: Difference) -> None:
        """Count a difference, and keep it while there are not too many."""
        self.differences_total += 1
        if len(self.differences) < MAX_NAMED:
            self.differences.append(difference)

    def as_json(self) -> dict[str, object]:
        """Return the findings as they are printed."""
        return {"equal": self.differences_total == 0, **asdict(self)}


async def list_environments(connection: Connection) -> list[str]:
    """Return every environment of which the database holds anything, apart from strays."""
    return [row["environment"] async for row in _sql.list_environments(connection)]


async def count_resources(connection: Connection) -> int:
    """Return how many resources the replay has left."""
    counted: int = await _sql.count_resources(connection)
    return counted


async def compare(connection: Connection, environment: str) -> AsyncIterator[Difference]:
    """Yield the resources of an environment that are not as the replay says. Needs a transaction."""
    async with _sql.read_differences_cursor(connection, environment=environment) as rows:
        async for row in rows:
            yield Difference(environment, f"{row['kind']}/{row['name']}", _problem(row))


def _problem(row: object) -> str:
    if row["is_missing"]:  # type: ignore[index]
        return "is missing: the event log says that it exists"
    if row["is_extra"]:  # type: ignore[index]
        return "should not exist: the event log does not say so, or says that it was deleted"
    return f"differs in {', '.join(row['columns'])}"  # type: ignore[index]


async def check_head(connection: Connection, environment: str, last: int) -> AsyncIterator[Difference]:
    """Yield what is wrong with the head of an environment whose history ends at `last`."""
    head = await read_head(connection, environment)
    if head != last:
        yield Difference(environment, "head", f"is {head}, but the history ends at {last}")


async def check_commands(connection: Connection, environment: str) -> AsyncIterator[Difference]:
    """Yield the commands of an environment that have not exactly one result and one inbox row. Needs a transaction."""
    async with _sql.read_strange_commands_cursor(connection, environment=environment) as rows:
        async for row in rows:
            yield Difference(environment, f"commands/{row['command_id']}", row["problem"])


async def check_cursors(connection: Connection, topic: str) -> AsyncIterator[Difference]:
    """Yield the partitions whose cursor would have commands decided again. Needs a transaction."""
    async with _sql.read_strange_partitions_cursor(connection, topic=topic) as rows:
        async for row in rows:
            where = "there is none" if row["next_offset"] is None else f"it stands at {row['next_offset']}"
            problem = f"{where}, but offset {row['last_offset']} was decided"
            yield Difference(None, f"cursor of partition {row['partition']}", problem)
