"""Runs plain routes without FastAPI's machinery, which costs several times what such a route does itself.

FastAPI stays what declares them: their parameters, their validation and their place in the OpenAPI document are its
own. A route is plain when all it takes is the request, who asks, and parameters of the address.
"""

import inspect
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.convertors import StringConvertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from services.kit.problems import HANDLERS

Resolvers = Mapping[Callable[..., Any], Callable[[Request], Any]]


class PlainRoute:
    """One route: what its endpoint is called with, found out once."""

    def __init__(self, context: RouteContext, resolvers: Resolvers) -> None:
        dependant: Dependant = context.dependant
        self._endpoint: Any = context.endpoint
        self._request_name = dependant.request_param_name
        self._resolved = [(str(each.name), resolvers[each.call]) for each in dependant.dependencies if each.call]
        self._texts = [field.name for field in dependant.path_params if _is_any_text(field)]
        self._path_fields = [field for field in dependant.path_params if not _is_any_text(field)]
        self._query_fields = dependant.query_params
        self._defaults = _defaults(dependant)

    async def answer(self, request: Request) -> Response:
        """Return the endpoint's answer, or the problem document of what it raised. Other errors pass through."""
        try:
            response: Response = await self._endpoint(**self._arguments(request))
        except Exception as error:
            handler = next((HANDLERS[kind] for kind in type(error).__mro__ if kind in HANDLERS), None)
            if handler is None:
                raise
            return await handler(request, error)
        return response

    def _arguments(self, request: Request) -> dict[str, Any]:
        """Return what the endpoint is called with. Raises RequestValidationError, or what a resolver raises."""
        arguments: dict[str, Any] = {name: resolve(request) for name, resolve in self._resolved}
        path = request.path_params
        for name in self._texts:
            arguments[name] = path[name]
        if self._path_fields or (self._query_fields and (request.scope["query_string"] or self._defaults is None)):
            arguments |= self._checked(request)
        elif self._defaults:
            arguments |= self._defaults
        if self._request_name:
            arguments[self._request_name] = request
        return arguments

    def _checked(self, request: Request) -> dict[str, Any]:
        on_path, wrong = request_params_to_args(self._path_fields, request.path_params)
        in_query, wrong_too = request_params_to_args(self._query_fields, request.query_params)
        if wrong or wrong_too:
            raise RequestValidationError([*wrong, *wrong_too])
        return on_path | in_query


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A route that an address may be of, in the order of declaration; FastAPI runs it when it is not plain."""

    context: RouteContext
    plain: PlainRoute | None


class DirectRoutes:
    """An ASGI application around FastAPI's, which answers what plain routes take and leaves all else to it."""

    def __init__(self, app: ASGIApp, routes: list[BaseRoute], resolvers: Resolvers) -> None:
        """Find the plain ones of `routes`; `resolvers` gives what a dependency that they may have comes to."""
        self._app = app
        self._candidates: defaultdict[tuple[str, int, str], list[_Candidate]] = defaultdict(list)
        for context in iter_route_contexts(routes):
            if isinstance(context.original_route, APIRoute):
                plain = PlainRoute(context, resolvers) if is_plain(context, resolvers) else None
                for method in context.methods or ():
                    self._candidates[_key(method, context.path or "")].append(_Candidate(context, plain))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plain = self._match(scope) if scope["type"] == "http" and not scope.get("root_path") else None
        if plain is None:
            await self._app(scope, receive, send)
            return
        response = await plain.answer(Request(scope, receive, send))
        await response(scope, receive, send)

    def _match(self, scope: Scope) -> PlainRoute | None:
        """Return the plain route that an address is of, unless one that is not plain comes first."""
        for candidate in self._candidates.get(_key(scope["method"], scope["path"]), ()):
            match = candidate.context.path_regex.match(scope["path"])
            if match:
                if candidate.plain is not None:
                    scope["route"] = candidate.context.original_route
                    scope["endpoint"] = candidate.context.endpoint
                    scope["path_params"] = match.groupdict()
                return candidate.plain
        return None


def is_plain(context: RouteContext, resolvers: Resolvers) -> bool:
    """Tell whether a route takes no more than the request, what `resolvers` give, and parameters of its address."""
    dependant: Dependant = context.dependant
    others = (
        dependant.header_params,
        dependant.cookie_params,
        dependant.body_params,
        dependant.background_tasks_param_name,
        dependant.response_param_name,
        dependant.security_scopes_param_name,
        dependant.http_connection_param_name,
    )
    returned = inspect.signature(context.endpoint, eval_str=True).return_annotation  # type: ignore[arg-type]
    return (
        not any(others)
        and all(each.call in resolvers for each in dependant.dependencies)
        and all(isinstance(each, StringConvertor) for each in context.param_convertors.values())
        and inspect.iscoroutinefunction(context.endpoint)
        and isinstance(returned, type)
        and issubclass(returned, Response)
    )


def _key(method: str, path: str) -> tuple[str, int, str]:
    """Return what tells most addresses apart at a glance: `/api/v1/NOUN/…` by the noun and the number of parts."""
    parts = path.split("/", 4)
    return method, path.count("/"), parts[3] if len(parts) > 3 else ""


def _is_any_text(field: Any) -> bool:
    return field.field_info.annotation is str and not field.field_info.metadata


def _defaults(dependant: Dependant) -> dict[str, Any] | None:
    """Return the arguments of a request without a query, or None when it has to have one."""
    fields = dependant.query_params
    if any(field.field_info.is_required() or field.field_info.validate_default for field in fields):
        return None
    values, _ = request_params_to_args(fields, {})
    return values
