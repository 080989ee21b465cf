"""What a batch knows of an environment while it decides, kept up to date by its own events."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from events.resources import Deployment, EnvironmentVariable, Pipeline, Step

Resource = TypeVar("Resource", Step, Pipeline, Deployment, EnvironmentVariable)


class Kept(NamedTuple, Generic[Resource]):
    """A resource and its version: the sequence of the event that changed it last."""

    resource: Resource
    version: int


class Shelf(Generic[Resource]):
    """The resources of one kind that a batch named, by name; what was not loaded cannot be asked for."""

    def __init__(self, parents: Callable[[Resource], Iterable[str]]) -> None:
        self._parents: Callable[[Resource], Iterable[str]] = parents
        self._kept: dict[str, Kept[Resource] | None] = {}
        self._children: defaultdict[str, set[str]] = defaultdict(set)
        self._changed: set[str] = set()

    def load(self, name: str, kept: Kept[Resource] | None) -> None:
        """Put what Postgres holds under `name`; None when it holds nothing."""
        self._kept[name] = kept
        if kept is not None:
            self._adopt(name, kept.resource)

    def find(self, name: str) -> Resource | None:
        """Return the resource of that name, or None. Raises KeyError when the batch did not load the name."""
        kept = self._kept[name]
        return None if kept is None else kept.resource

    def version(self, name: str) -> int | None:
        """Return the version of the resource of that name, or None when there is none."""
        kept = self._kept[name]
        return None if kept is None else kept.version

    def children_of(self, parent: str) -> list[Resource]:
        """Return the loaded resources that use `parent`, in the order of their names."""
        found = (self.find(name) for name in sorted(self._children[parent]))
        return [resource for resource in found if resource is not None]

    def put(self, name: str, resource: Resource, version: int) -> None:
        """Keep a new or changed resource."""
        self._changed.add(name)
        self._kept[name] = Kept(resource, version)
        self._adopt(name, resource)

    def remove(self, name: str) -> None:
        """Forget the resource of that name."""
        resource = self.find(name)
        if resource is not None:
            for parent in self._parents(resource):
                self._children[parent].discard(name)
        self._changed.add(name)
        self._kept[name] = None

    def changes(self) -> Iterator[tuple[str, Kept[Resource] | None]]:
        """Yield each name that the batch changed, with what is under it now (None: nothing)."""
        for name in sorted(self._changed):
            yield name, self._kept[name]

    def _adopt(self, name: str, resource: Resource) -> None:
        for parent in self._parents(resource):
            self._children[parent].add(name)


@dataclass(slots=True)
class EnvironmentState:
    """One environment as a batch sees it; `sequence` is the place of the last event in its history."""

    sequence: int = 0
    steps: Shelf[Step] = field(default_factory=lambda: Shelf[Step](lambda _: ()))
    pipelines: Shelf[Pipeline] = field(default_factory=lambda: Shelf[Pipeline](lambda pipeline: pipeline.step_names))
    deployments: Shelf[Deployment] = field(
        default_factory=lambda: Shelf[Deployment](lambda deployment: (deployment.pipeline_name,))
    )
    variables: Shelf[EnvironmentVariable] = field(default_factory=lambda: Shelf[EnvironmentVariable](lambda _: ()))
