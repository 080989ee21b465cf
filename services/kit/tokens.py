"""Access tokens: short-lived JWTs signed with an Ed25519 key, and the secrets that are derived from it."""

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt

from events.refusals import Code, Refused
from services.kit.settings import AuthSettings
from services.kit.signing_keys import KeyFile, SigningKey

ALGORITHM = "EdDSA"
ISSUER = "pipeloom"
AUDIENCE = "pipeloom-api"
SDK_TOKEN_BYTES = 32
CACHED_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, and in which environment."""

    user_id: str
    environment: str


def new_sdk_token() -> str:
    """Return a random SDK token; it is shown once and stored hashed."""
    return secrets.token_urlsafe(SDK_TOKEN_BYTES)


def hash_secret(secret: str) -> bytes:
    """Return what is stored of a random secret. A plain hash is enough for 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


class Tokens:
    """Signs with the key in use; verifies and derives with that one and the one before it."""

    def __init__(self, settings: AuthSettings) -> None:
        """Load the keys. Raises OSError or ValueError when the file is not there or holds no Ed25519 key."""
        self._file = KeyFile(settings.signing_key_file)
        self._keys = self._file.keys()
        self._life_s = settings.access_token_life_s
        self._verified: dict[str, tuple[Identity, float]] = {}

    def access_token(self, identity: Identity) -> str:
        """Return a signed access token for `identity`."""
        return self._signed(AUDIENCE, {"sub": identity.user_id, "environment": identity.environment}, self._life_s)

    def jwks(self) -> dict[str, Any]:
        """Return the public keys of all tokens that are accepted (a JSON Web Key Set, source: RFC 7517)."""
        return {"keys": [key.jwk() for key in self._current()]}

    def identify(self, authorization: str | None) -> Identity:
        """Return who the `Authorization` header names. Raises Refused: unauthenticated, invalid_ or expired_token."""
        return self._identified(authorization)[0]

    def expires_at(self, authorization: str | None) -> float:
        """Return until when the `Authorization` header counts, in seconds since 1970. Raises Refused as `identify`."""
        return self._identified(authorization)[1]

    def _identified(self, authorization: str | None) -> tuple[Identity, float]:
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(
                Code.UNAUTHENTICATED,
                "Send `Authorization: Bearer ACCESS_TOKEN`; POST /api/v1/auth/refresh gives one for an SDK token.",
            )
        self._current()
        known = self._verified.get(token)
        if known and known[1] > time.time():
            return known
        claims = self._verify(token)
        identified = Identity(claims["sub"], claims["environment"]), claims["exp"]
        if len(self._verified) >= CACHED_TOKENS:
            self._verified.clear()
        self._verified[token] = identified
        return identified

    def _verify(self, token: str) -> dict[str, Any]:
        required = ["exp", "iat", "sub", "environment"]
        return self._decoded(token, AUDIENCE, required, "get a new one from POST /api/v1/auth/refresh")

    def _signed(self, audience: str, claims: dict[str, str], life_s: int) -> str:
        now, key = int(time.time()), self._current()[0]
        told = {**claims, "iat": now, "exp": now + life_s, "iss": ISSUER, "aud": audience}
        return jwt.encode(told, key.private, algorithm=ALGORITHM, headers={"kid": key.id})

    def _decoded(self, token: str, audience: str, required: list[str], advice: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._named_key(token).public,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=audience,
                options={"require": required},
            )
        except jwt.ExpiredSignatureError as error:
            raise Refused(Code.EXPIRED_TOKEN, f"The token has expired; {advice}.") from error
        except jwt.InvalidTokenError as error:
            raise Refused(Code.INVALID_TOKEN, f"The token is not one of ours; {advice}.") from error
        return claims

    def ticket(self, audience: str, claims: dict[str, str], life_s: int) -> str:
        """Return a signed text that lets its bearer do one thing, `audience`, for a while."""
        return self._signed(audience, claims, life_s)

    def read_ticket(self, audience: str, ticket: str) -> dict[str, Any]:
        """Return what a ticket says. Raises Refused: invalid_token or expired_token."""
        return self._decoded(ticket, audience, ["exp", "iat"], "ask for a new URL")

    def _named_key(self, token: str) -> SigningKey:
        """Return the key that signed the token by its own account; the key in use when it names none of ours.

        A key that is not known may be one that another process signs with since a moment ago.
        """
        named = jwt.get_unverified_header(token).get("kid")
        for keys in (self._current(), self._current(anew=named is not None)):
            for key in keys:
                if key.id == named:
                    return key
        return keys[0]

    def endpoint_token(self, environment: str, command_id: UUID) -> str:
        """Return the token of the endpoint that a command creates: a repeat of the command gets the same one."""
        return self._current()[0].derive(_endpoint(environment, command_id))

    def told_endpoint_token(self, environment: str, command_id: UUID, token_hash: str | None) -> str | None:
        """Return the token that the command's result was stored with, or None when its key is gone."""
        derived = (key.derive(_endpoint(environment, command_id)) for key in self._current())
        return next((token for token in derived if hash_secret(token).hex() == token_hash), None)

    def _current(self, *, anew: bool = False) -> Sequence[SigningKey]:
        """Return the keys; what was verified by keys that are gone since is verified anew."""
        keys = self._file.keys(anew=anew)
        if keys is not self._keys:
            self._keys = keys
            self._verified.clear()
        return keys


def _endpoint(environment: str, command_id: UUID) -> bytes:
    return f"endpoint\n{environment}\n{command_id}".encode()
