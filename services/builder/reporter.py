"""From a created step to its report: the build in a thread under a deadline, and the command that tells the outcome."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid5

import structlog
from opentelemetry.trace import SpanKind

from events.commands import StepBuildReported
from events.envelope import Command, Event, timestamp
from events.refusals import FailureCode, Refused
from events.resources import Step
from services.builder.errors import Unbuildable, Unreachable
from services.builder.examine import Bench, Built, examine
from services.builder.metrics import BUILDS, SECONDS
from services.builder.threads import BuildThreads
from services.kit.backoff import Backoff
from services.kit.health import Health
from services.kit.log_context import telling
from services.kit.tracing import context_of, span, trace_id_of

PART = "builds"
ACTOR = "builder"
SOURCE = "/pipeloom/builder"
# The namespace of the ids of reports. Another one would report steps again that were reported before.
REPORTS = UUID("5d6c3c1e-6f0b-4b52-9a5e-1f2f7f0a8c11")

Publish = Callable[[Command], Awaitable[None]]

log = structlog.get_logger()
repeated = structlog.get_logger(repeats=True)


def report_id(event: Event) -> UUID:
    """Return the id of the one report on the step that `event` created, whoever builds it and however often."""
    return uuid5(REPORTS, event.id)


class Reporter:
    """Builds steps and reports what came of it."""

    def __init__(
        self, bench: Bench, threads: BuildThreads, publish: Publish, health: Health, stop: asyncio.Event
    ) -> None:
        self._bench = bench
        self._threads = threads
        self._timeout_s = bench.settings.timeout_s
        self._publish = publish
        self._health = health
        self._stop = stop

    async def report(self, event: Event, step: Step) -> None:
        """Return once Kafka has acknowledged the report on `step`, however long that takes."""
        told = {"environment": event.environment, "pipeloom.event_id": event.id}
        with (
            telling(
                environment=event.environment,
                command_id=str(event.command_id),
                trace_id=trace_id_of(event.traceparent),
            ),
            span("build", SpanKind.CONSUMER, parent=context_of(event.traceparent), attributes=told) as build,
        ):
            outcome = await self._build_and_tell(event, step)
            build.set_attribute("pipeloom.outcome", outcome)

    async def _build_and_tell(self, event: Event, step: Step) -> str:
        with SECONDS.time():
            data = await self._verdict(event.environment, step)
        BUILDS.labels(data.outcome, data.failure_code or "").inc()
        command = Command(
            id=report_id(event),
            environment=event.environment,
            actor=ACTOR,
            source=SOURCE,
            time=timestamp(datetime.now(UTC)),
            data=data,
            traceparent=event.traceparent,
        )
        await self._publish_surely(command)
        log.info("step built", step=step.step_name, outcome=data.outcome, reason=data.reason)
        return data.outcome

    async def _verdict(self, environment: str, step: Step) -> StepBuildReported:
        """Return what to report on `step`. Trouble of our own is waited out: it is nothing that its user can mend."""
        backoff = Backoff()
        while True:
            try:
                built = await self._examine(environment, step)
            except Unbuildable as error:
                self._health.well(PART)
                return _failed(step, error.code, str(error))
            except OSError as error:
                self._health.ill(PART, f"builds fail by trouble of our own: {error}")
                repeated.warning("a build is tried again", step=step.step_name, error=str(error))
            except Exception:
                # One step must not stop those behind it, so a fault of the builder ends this one build.
                log.exception("a build broke the builder", step=step.step_name)
                return _failed(
                    step,
                    FailureCode.BUILDER_BROKE,
                    "The builder broke on this step, which is a fault of the builder; see its log.",
                )
            else:
                self._health.well(PART)
                return _ready(step, built)
            await backoff.wait(self._stop)

    async def _examine(self, environment: str, step: Step) -> Built:
        """Examine `step` in a thread until the deadline; a host that does not answer is asked again until then.

        Its time begins when there is a place for it: others that are abandoned and do not end are not its fault.
        """
        abandoned = threading.Event()
        backoff = Backoff()
        code, trouble = FailureCode.BUILD_TIMEOUT, "Make the repository smaller."
        try:
            async with self._threads.place() as place, asyncio.timeout(self._timeout_s) as deadline:
                while True:
                    try:
                        return await place.run(partial(examine, environment, step, self._bench, abandoned))
                    except Unreachable as error:
                        code, trouble = (
                            FailureCode.REPOSITORY_UNREACHABLE,
                            f"Check repository_url and try again later: {error}.",
                        )
                    await backoff.wait(self._stop)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise Unbuildable(
                code,
                f"The build did not end within {self._timeout_s:g} s. {trouble}",
            ) from None
        finally:
            abandoned.set()

    async def _publish_surely(self, command: Command) -> None:
        """Publish `command` until it is acknowledged: it has the same id each time, so it takes effect once."""
        backoff = Backoff()
        while True:
            try:
                return await self._publish(command)
            except Refused as refused:
                repeated.warning("a report waits for Kafka", command=str(command.id), code=refused.code)
            await backoff.wait(self._stop)


def _ready(step: Step, built: Built) -> StepBuildReported:
    return StepBuildReported(
        step_name=step.step_name,
        requested_by=step.requested_by,
        outcome="ready",
        commit_id=built.commit_id,
        origin=built.origin,
        source=built.source,
    )


def _failed(step: Step, code: FailureCode, reason: str) -> StepBuildReported:
    return StepBuildReported(
        step_name=step.step_name,
        requested_by=step.requested_by,
        outcome="failed",
        reason=reason,
        failure_code=code.value,
    )
