"""One resource's page, sent as it is stored, with its entity tag."""

from starlette.requests import Request
from starlette.responses import Response

from services.kit.web import etag, json_response


def page(request: Request, document: str, version: int, others: dict[str, str] | None = None) -> Response:
    """Return the stored document, or 304 when the client has this version already."""
    headers = {"ETag": etag(version), **(others or {})}
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or etag(version) in {tag.strip().removeprefix("W/") for tag in known.split(",")}:
        return Response(status_code=304, headers=headers)
    return json_response(document, headers=headers)
