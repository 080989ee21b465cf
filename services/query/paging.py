"""What pages have in common: which parameters they take, and the link to the next one."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

import pydantic_core
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from events.refusals import Code, Refused
from services.kit.web import json_response

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
# More than any sequence.
BEHIND_ALL = 2**62

PageLimit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="At most so many; large ones may make it fewer")]


def demand_known(request: Request, known: Sequence[str], repeatable: Sequence[str] = ()) -> None:
    """Raise Refused invalid_request when a query has a parameter that is not one of `known`, or one twice.

    Of those that are not `repeatable` only the last would count, and who asks would not learn of it.
    """
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        there_is = f"the known ones are {', '.join(known)}" if known else "there is none at all"
        raise Refused(
            Code.INVALID_REQUEST,
            f"There is no parameter '{unknown[0]}' here; {there_is}.",
            unknown=list(unknown),
            known=list(known),
        )
    counts = Counter(name for name, _ in request.query_params.multi_items())
    twice = sorted(name for name, number in counts.items() if number > 1 and name not in repeatable)
    if twice:
        raise Refused(
            Code.INVALID_REQUEST,
            f"The parameter '{twice[0]}' is there {counts[twice[0]]} times; give it once.",
            repeated=list(twice),
        )


def page_response(request: Request, entries: Sequence[object], after: object | None, pruned_up_to: int = 0) -> Response:
    """Return a page, with a link to the one behind the place `after`; None when it is the last."""
    headers = {} if after is None else {"Link": f'<{request.url.path}?{_query(request, str(after))}>; rel="next"'}
    headers |= pruned_headers(pruned_up_to)
    return json_response(pydantic_core.to_json(list(entries)), headers=headers)


def pruned_headers(pruned_up_to: int) -> dict[str, str]:
    """Return the header that says up to where a history is no longer kept; none when it is whole."""
    return {"Pipeloom-Pruned-Up-To": str(pruned_up_to)} if pruned_up_to else {}


def _query(request: Request, after: str) -> str:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    return urlencode([*kept, ("after", after)])
