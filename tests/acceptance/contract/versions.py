"""In what the versions of craft-ai-sdk differ, as far as a server or a caller notices: all of it stands here."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

CHOICE_SETTING = "PIPELOOM_TEST_SDK_VERSIONS"
DEFAULT = "0.43.4"


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version: what it has, how it spells things, how it tells what happened."""

    number: str
    # Steps.
    ready: str
    build_failure: tuple[str, str]
    absent_step_is_none: bool
    leaves_waiting_to_server: bool
    has_local_folders: bool
    has_update_step: bool
    has_build_logs: bool
    null: tuple[str, str]
    # Pipelines.
    open_prefix: str
    warns_of_positional_step: bool
    # Deployments.
    mode_argument: str
    mapped_prefix: str
    has_parallel_executions: bool
    has_resource_requests: bool
    has_deployment_logs: bool
    creation_gives_whole_deployment: bool
    # Users.
    filters_user: bool

    def __str__(self) -> str:
        return self.number

    @property
    def inputs(self) -> str:
        """The key under which it documents a pipeline's inputs."""
        return f"{self.open_prefix}inputs"

    @property
    def outputs(self) -> str:
        """The key under which it documents a pipeline's outputs."""
        return f"{self.open_prefix}outputs"


_V0_36_1 = Version(
    number="0.36.1",
    ready="Ready",
    build_failure=("step_failed", "The step 'train' could not be built"),
    absent_step_is_none=True,
    leaves_waiting_to_server=False,
    has_local_folders=False,
    has_update_step=True,
    has_build_logs=False,
    null=("STEP_PARAMETER", "NULL"),
    open_prefix="open_",
    warns_of_positional_step=False,
    mode_argument="deployment_mode",
    mapped_prefix="step_",
    has_parallel_executions=False,
    has_resource_requests=False,
    has_deployment_logs=False,
    creation_gives_whole_deployment=False,
    filters_user=False,
)
_V0_41_1 = replace(_V0_36_1, number="0.41.1", has_update_step=False, has_deployment_logs=True, filters_user=True)
_V0_43_4 = replace(
    _V0_41_1, number="0.43.4", has_local_folders=True, mode_argument="mode", has_parallel_executions=True
)
_V0_48_1 = replace(
    _V0_43_4,
    number="0.48.1",
    open_prefix="",
    warns_of_positional_step=True,
    mapped_prefix="pipeline_",
    has_resource_requests=True,
)
_V0_55_2 = replace(
    _V0_48_1,
    number="0.55.2",
    ready="ready",
    build_failure=("CreationFailed", 'creation of "train" has failed'),
    absent_step_is_none=False,
    leaves_waiting_to_server=True,
    has_build_logs=True,
    null=("CREATION_PARAMETER_VALUE", "NULL"),
    creation_gives_whole_deployment=True,
)
VERSIONS = {each.number: each for each in (_V0_36_1, _V0_41_1, _V0_43_4, _V0_48_1, _V0_55_2)}


def chosen_versions() -> list[Version]:
    """Return the versions to test: the default one, or those that the setting names (`all`, or with commas)."""
    choice = os.environ.get(CHOICE_SETTING) or DEFAULT
    if choice == "all":
        return list(VERSIONS.values())
    unknown = set(choice.split(",")) - set(VERSIONS)
    if unknown:
        raise pytest.UsageError(f"{CHOICE_SETTING} names {', '.join(unknown)}; there are {', '.join(VERSIONS)} and all")
    return [VERSIONS[number] for number in choice.split(",")]


def versions_that(hold: Callable[[Version], bool]) -> pytest.MarkDecorator:
    """Run a test only for those of the chosen versions for which `hold` is true."""
    return pytest.mark.for_versions.with_args(hold)
