"""What the rules of deletion share: naming dependents, and bounding how many go at once."""

from collections.abc import Iterable, Sequence

from events.refusals import Code, Refused
from events.resources import Deployment, DeploymentRef, Pipeline
from events.topics import MIB
from services.composer.decider.sizes import size_of

# One result names all that went, and has to fit into one record of the events topic.
MAX_DEPENDENTS = 10_000
MAX_DEPENDENT_BYTES = 64 * MIB
NAMES_TOLD = 10


def check_number(dependents: Sequence[Pipeline | Deployment]) -> None:
    """Raise Refused too_many_dependents when one command would delete more than one save and one record can hold."""
    number = len(dependents)
    if number > MAX_DEPENDENTS or sum(size_of(each) for each in dependents) > MAX_DEPENDENT_BYTES:
        raise Refused(
            Code.TOO_MANY_DEPENDENTS,
            f"{number} dependents would be deleted; one command deletes at most {MAX_DEPENDENTS}, "
            f"and {MAX_DEPENDENT_BYTES // MIB} MiB of them. Delete some of them first.",
            dependents=number,
        )


def refs(deployments: Iterable[Deployment]) -> list[DeploymentRef]:
    """Return what an answer says of each of `deployments`."""
    return [DeploymentRef(name=each.name, execution_rule=each.execution_rule) for each in deployments]


def advice(names: list[str]) -> str:
    """Return what to do first about dependents that stand in the way."""
    return "Delete it first" if len(names) == 1 else "Delete them first"


def named(kind: str, names: list[str]) -> str:
    """Return the names as a sentence's part, for example `deployments 'a', 'b' and 3 more`."""
    told = ", ".join(f"'{name}'" for name in names[:NAMES_TOLD])
    more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
    return f"{kind}{'s' if len(names) > 1 else ''} {told}{more}"
