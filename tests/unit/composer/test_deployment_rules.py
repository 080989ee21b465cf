from typing import Any

import pytest

from events.commands import DeploymentDeleteRequested, DeploymentRequested, EndpointTokenRequested
from events.refusals import Code
from events.results import DeploymentCreated, DeploymentDeleted, EndpointTokenRenewed
from tests.unit.composer.world import decided, deployment, having, pipeline, refused, step

NEW_HASH = "ab" * 32


def asked(rule: str = "endpoint", schedule: str | None = None, **options: Any) -> DeploymentRequested:
    return DeploymentRequested.model_validate(
        {"name": "d", "pipeline_name": "p", "execution_rule": rule, "schedule": schedule, **options}
    )


@pytest.mark.parametrize(("rule", "schedule"), [("endpoint", None), ("periodic", "*/5 0 * * mon")])
def test_a_deployment_of_a_pipeline_is_created(rule: str, schedule: str | None) -> None:
    (event,) = decided(having(step(), pipeline()), asked(rule, schedule))
    assert isinstance(event, DeploymentCreated)
    assert (event.deployment.execution_rule, event.deployment.schedule) == (rule, schedule)


@pytest.mark.parametrize(
    ("rule", "schedule"),
    [
        ("endpoint", "0 6 * * 1"),
        ("periodic", None),
        ("periodic", ""),
        ("periodic", "0 6 * *"),
        ("periodic", "0 6 * * 1 2026"),
        ("periodic", "61 6 * * 1"),
        ("periodic", "every monday at six o'clock"),
        ("periodic", "0 6 30 2 *"),
    ],
)
def test_a_schedule_that_does_not_fit_is_refused(rule: str, schedule: str | None) -> None:
    assert refused(having(step(), pipeline()), asked(rule, schedule)).code == Code.INVALID_SCHEDULE


def test_a_deployment_of_an_absent_pipeline_is_refused() -> None:
    assert refused([], asked()).code == Code.PIPELINE_NOT_FOUND


def test_a_taken_name_is_refused() -> None:
    assert refused(having(step(), pipeline(), deployment()), asked()).code == Code.DEPLOYMENT_EXISTS


def test_a_deployment_is_deleted() -> None:
    events = decided(having(step(), pipeline(), deployment()), DeploymentDeleteRequested(name="d"))
    assert events == [DeploymentDeleted(deployment=deployment())]


def test_the_deletion_of_an_absent_deployment_is_refused() -> None:
    assert refused([], DeploymentDeleteRequested(name="d")).code == Code.DEPLOYMENT_NOT_FOUND


def made(**options: Any) -> tuple[Any, ...]:
    (event,) = decided(having(step(), pipeline()), asked(**options))
    assert isinstance(event, DeploymentCreated)
    deployment = event.deployment
    return (
        deployment.enable_parallel_executions,
        deployment.max_parallel_executions_per_pod,
        deployment.ram_request,
        deployment.gpu_request,
    )


def test_the_options_of_low_latency_are_kept_with_their_defaults() -> None:
    assert made() == (None, None, None, None)
    assert made(mode="low_latency") == (False, None, None, None)
    assert made(mode="low_latency", enable_parallel_executions=True) == (True, 6, None, None)
    assert made(
        mode="low_latency",
        enable_parallel_executions=True,
        max_parallel_executions_per_pod=2,
        ram_request="1.5GiB",
        gpu_request=1,
    ) == (True, 2, "1.5GiB", 1)


@pytest.mark.parametrize(
    ("options", "culprit"),
    [
        ({"ram_request": "512MiB"}, "ram_request"),
        ({"gpu_request": 1}, "gpu_request"),
        ({"enable_parallel_executions": True}, "enable_parallel_executions"),
        ({"enable_parallel_executions": False}, "enable_parallel_executions"),
        ({"max_parallel_executions_per_pod": 2}, "max_parallel_executions_per_pod"),
        ({"mode": "low_latency", "max_parallel_executions_per_pod": 2}, "max_parallel_executions_per_pod"),
        (
            {"mode": "low_latency", "enable_parallel_executions": False, "max_parallel_executions_per_pod": 2},
            "max_parallel_executions_per_pod",
        ),
        ({"rule": "periodic", "schedule": "0 6 * * 1", "endpoint_token_hash": NEW_HASH}, "endpoint_token_hash"),
    ],
)
def test_an_option_without_a_meaning_is_refused_and_named(options: dict[str, Any], culprit: str) -> None:
    refusal = refused(having(step(), pipeline()), asked(**options))
    assert (refusal.code, refusal.details) == (Code.INVALID_OPTION, {"option": culprit})


def test_an_endpoint_gets_another_token() -> None:
    (event,) = decided(having(step(), pipeline(), deployment()), renewal())
    assert isinstance(event, EndpointTokenRenewed)
    assert (event.before, event.deployment.endpoint_token_hash) == (deployment(), NEW_HASH)
    assert event.deployment.model_copy(update={"endpoint_token_hash": None}) == deployment()


def test_a_periodic_deployment_has_no_token_to_renew() -> None:
    refusal = refused(having(step(), pipeline(), deployment(rule="periodic")), renewal())
    assert (refusal.code, refusal.details) == (
        Code.WRONG_EXECUTION_RULE,
        {"deployment_name": "d", "execution_rule": "periodic"},
    )


def test_an_absent_deployment_has_no_token_to_renew() -> None:
    assert refused([], renewal()).code == Code.DEPLOYMENT_NOT_FOUND


def renewal() -> EndpointTokenRequested:
    return EndpointTokenRequested(name="d", endpoint_token_hash=NEW_HASH)
