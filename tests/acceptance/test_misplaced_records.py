"""Records whose key or partition is not their environment's, or whose environment is nobody's."""

from collections.abc import Iterator
from itertools import count
from uuid import uuid4

import pytest

from services.kit.partitions import partition_of
from tests.acceptance.feed import data_of, is_result_of, name_of
from tests.acceptance.records import GOOD_VALUE, dead_letter, written
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import NewTenant, Tenant
from tests.support.installation import unique


def elsewhere(tenant: Tenant, stack: Stack) -> int:
    """Return a partition that is not the environment's."""
    return (partition_of(tenant.environment, stack.kafka.partitions) + 1) % stack.kafka.partitions


def environments_on(partition: int, partitions: int) -> Iterator[str]:
    """Yield environment ids that belong to a partition."""
    return (name for name in (unique("env") for _ in count()) if partition_of(name, partitions) == partition)


@pytest.mark.parametrize("where", ["the key of another", "no environment's key", "an empty key", "another partition"])
async def test_a_record_in_the_wrong_place_is_refused_there_and_has_no_effect(
    new_tenant: NewTenant, tenant: Tenant, stack: Stack, step: str, where: str
) -> None:
    home, away = partition_of(tenant.environment, stack.kafka.partitions), elsewhere(tenant, stack)
    key, partition = {
        "the key of another": (next(environments_on(home, stack.kafka.partitions)).encode(), home),
        "no environment's key": (b"\xff", home),
        "an empty key": (b"", home),
        "another partition": (tenant.environment.encode(), away),
    }[where]
    neighbour = await new_tenant(next(environments_on(partition, stack.kafka.partitions)))
    command_id = uuid4()

    record = await tenant.put(GOOD_VALUE, written(tenant, command_id, {}), key=key, partition=partition)

    assert await neighbour.history() == []
    refused = (await tenant.kafka.events.until(tenant.environment, is_result_of(command_id)))[-1]
    assert (name_of(refused), data_of(refused)["code"]) == ("CommandRejected", "misrouted")
    assert "ce_sequence" not in dict(refused.headers)
    assert await dead_letter(stack, record) == {"code": "misrouted", "record_key": key, "record_value": GOOD_VALUE}
    assert await tenant.names("/pipelines", "pipeline_name") == []
    assert (await tenant.create_pipeline("churn", step)).status_code == 201


async def test_a_record_of_an_unknown_environment_is_refused(tenant: Tenant, stack: Stack) -> None:
    home = partition_of(tenant.environment, stack.kafka.partitions)
    nobody = next(environments_on(home, stack.kafka.partitions))
    command_id = uuid4()

    record = await tenant.put(
        GOOD_VALUE, written(tenant, command_id, {"ce_environment": nobody.encode()}), key=nobody.encode()
    )

    assert await tenant.history() == []
    refused = (await tenant.kafka.events.until(nobody, is_result_of(command_id)))[-1]
    assert (name_of(refused), data_of(refused)["code"]) == ("CommandRejected", "unknown_environment")
    kept = {"code": "unknown_environment", "record_key": nobody.encode(), "record_value": GOOD_VALUE}
    assert await dead_letter(stack, record) == kept
