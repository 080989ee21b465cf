"""Giving back the source of a step, and what else clients ask around a build (source: sdk-contract 5)."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import structlog
from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from events.refusals import Code, Refused
from events.resources import Step, StepStatus
from services.kit.backend import Backend
from services.kit.built import step_failed, step_not_found
from services.kit.objects import ObjectMissing, ObjectStore, StoreTrouble
from services.kit.parameters import Digest, StepName
from services.kit.web import API, Asker
from services.query import contract
from services.query.logs import LogLine, LogRange, wanted_lines
from services.query.reads import find_one, sql

AUDIENCE = "pipeloom-download"
URL_LIFE_S = 300
GZIP = "application/gzip"

Ticket = Annotated[str, Query(description="From a signed URL; it lives five minutes", max_length=4096)]

log = structlog.get_logger()


class SignedUrl(BaseModel):
    """Where something can be fetched for five minutes, by whoever has the URL."""

    signed_url: str


class ProjectInformation(BaseModel):
    """What a project gives the steps that say nothing themselves. There are no projects here, so it is empty."""

    included_folders: list[str] = []
    requirements_path: str | None = None


def source_router(backend: Backend) -> APIRouter:
    """Return the routes around the sources and builds of steps."""
    router = APIRouter(tags=["steps"])
    objects = ObjectStore(backend.settings.objects)

    @router.get("/steps/{step_name}/download", **contract.DOWNLOAD_STEP)
    async def download_step(request: Request, asker: Asker, step_name: StepName) -> SignedUrl:
        """Get a URL that gives back the source that the step was built from, as a gzip tar."""
        source = _kept_source(await _find(backend, asker.environment, step_name))
        ticket = backend.tokens.ticket(AUDIENCE, {"sub": source, "file": f"{step_name}.tgz"}, URL_LIFE_S)
        base = backend.settings.http.public_url or str(request.base_url)
        return SignedUrl(signed_url=f"{base.rstrip('/')}{API}/sources/{source}?{urlencode({'ticket': ticket})}")

    @router.get("/sources/{digest}", response_class=StreamingResponse, **contract.GET_SOURCE)
    async def get_source(digest: Digest, ticket: Ticket) -> Response:
        """Fetch a source by a signed URL; no other authorization is needed."""
        claims = backend.tokens.read_ticket(AUDIENCE, ticket)
        if claims.get("sub") != digest:
            raise Refused(Code.INVALID_TOKEN, "The ticket is for another source; ask for a new URL.")
        return await _streamed(objects, digest, str(claims.get("file")))

    @router.post("/steps/{step_name}/logs", **contract.GET_STEP_LOGS)
    async def get_step_logs(asker: Asker, step_name: StepName, wanted: LogRange) -> list[LogLine]:
        """Get what is known of the step's last build, a line for each thing that happened."""
        return wanted_lines(_log(await _find(backend, asker.environment, step_name)), wanted)

    @router.get("/project-information", **contract.GET_PROJECT_INFORMATION)
    async def get_project_information(_: Asker) -> ProjectInformation:
        """Get what steps take over from their project: nothing."""
        return ProjectInformation()

    return router


async def _find(backend: Backend, environment: str, name: str) -> Step:
    row: Any = await find_one(backend.pool, sql.find_step_body, environment, name)
    if row is None:
        raise step_not_found(name)
    return Step.model_validate_json(row["body"])


def _kept_source(step: Step) -> str:
    name = step.step_name
    if step.status is StepStatus.PENDING:
        raise Refused(
            Code.STEP_NOT_READY, f"The step '{name}' is still being built. Wait until it is Ready.", step_name=name
        )
    if step.status is StepStatus.FAILED:
        raise step_failed(name, step.failure, step.failure_code)
    if step.source is None:
        raise _not_kept(f"The source of the step '{name}' is not kept. Create the step again.")
    return step.source


def _not_kept(message: str) -> Refused:
    return Refused(Code.SOURCE_NOT_KEPT, message)


async def _streamed(objects: ObjectStore, source: str, file_name: str) -> Response:
    try:
        size, pieces = await objects.stream(source)
    except ObjectMissing as error:
        raise _not_kept("The source is not in the object store any more. Create the step again.") from error
    except StoreTrouble as error:
        log.warning("a source cannot be read", source=source, error=str(error))
        raise Refused(Code.STORE_UNAVAILABLE, "The object store cannot be read right now. Try again.") from error
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file_name)}",
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(pieces, headers=headers, media_type=GZIP)


def _log(step: Step) -> list[LogLine]:
    lines = [LogLine(timestamp=step.created_at, message=f"The step was asked for by {step.created_by}.")]
    match step.status:
        case StepStatus.PENDING:
            return [*lines, LogLine(timestamp=step.updated_at, message="A build was asked for.")]
        case StepStatus.READY:
            found = f"at commit {step.commit_id}" if step.commit_id else "from the uploaded folder"
            return [*lines, LogLine(timestamp=step.updated_at, message=f"The step was built {found}.")]
        case StepStatus.FAILED:
            told = f"The build failed ({step.failure_code}): {step.failure}"
            return [*lines, LogLine(timestamp=step.updated_at, message=told)]
