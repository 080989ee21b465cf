import pytest

from events.commands import DeploymentDeleteRequested, DeploymentRequested
from events.refusals import Code
from events.results import DeploymentCreated, DeploymentDeleted
from tests.unit.composer.world import decided, deployment, having, pipeline, refused, step


def asked(rule: str = "endpoint", schedule: str | None = None) -> DeploymentRequested:
    return DeploymentRequested.model_validate(
        {"name": "d", "pipeline_name": "p", "execution_rule": rule, "schedule": schedule}
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
