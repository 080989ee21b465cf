"""The way to the gateways, and what their answers say."""

import itertools
from typing import Any

import httpx
import jwt

API = "/api/v1"
ANSWER_S = 20.0


class Doors:
    """The gateways of an environment's user; whoever gets no answer at one goes to the next."""

    def __init__(self, urls: list[str], sdk_token: str) -> None:
        self._clients = [httpx.AsyncClient(base_url=url, timeout=ANSWER_S, verify=False) for url in urls]
        self._next = itertools.cycle(self._clients)
        self._sdk_token = sdk_token
        self._authorization = ""
        self.user_id = ""

    async def send(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Return the answer, whatever it is. Raises httpx.TransportError."""
        client = next(self._next)
        headers = {**given.pop("headers", {}), "Authorization": self._authorization}
        answer = await client.request(method, API + path, headers=headers, **given)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            await self.sign_in(client)
            headers["Authorization"] = self._authorization
            answer = await client.request(method, API + path, headers=headers, **given)
        return answer

    async def sign_in(self, client: httpx.AsyncClient | None = None) -> str:
        """Get a new access token; return it."""
        asked = client or next(self._next)
        answer = await asked.post(API + "/auth/refresh", json={"refresh_token": self._sdk_token})
        if answer.status_code == httpx.codes.OK:
            token = str(answer.json()["access_token"])
            self._authorization = f"Bearer {token}"
            self.user_id = jwt.decode(token, options={"verify_signature": False})["sub"]
        return self._authorization

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


def code_of(answer: httpx.Response) -> str:
    if answer.is_success:
        return ""
    try:
        return str(answer.json().get("name", answer.status_code))
    except ValueError:
        return str(answer.status_code)


def details_of(answer: httpx.Response) -> dict[str, Any]:
    try:
        return dict(answer.json().get("additional_data") or {})
    except ValueError:
        return {}
