"""Asks the stack's own services over HTTP, past every proxy."""

import httpx

_TIMEOUT = 5.0


def open_http() -> httpx.AsyncClient:
    """Return a client for addresses on this machine, which no proxy of the environment can reach."""
    return httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT)


async def is_refused(url: str, sdk_token: str) -> bool:
    """Tell whether the stack at `url` says that it does not know this token, or that it cannot be one.

    A stack that says nothing refuses nothing: what is kept must not be lost to a moment's trouble.
    """
    async with open_http() as http:
        try:
            answer = await http.post(f"{url}/api/v1/auth/refresh", json={"refresh_token": sdk_token})
        except httpx.HTTPError:
            return False
    return answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.UNPROCESSABLE_ENTITY}


def reasons(answer: httpx.Response) -> str:
    """Return what a health page says about the parts that are not well."""
    try:
        parts = answer.json()["parts"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"its health page answers {answer.status_code}"
    return "; ".join(f"{part}: {state}" for part, state in parts if state != "ok")
