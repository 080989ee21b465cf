"""Access tokens: short-lived JWTs signed with one Ed25519 key, and the secrets that are derived from it."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from events.refusals import Code, Refused
from services.kit.key_files import ensure_key_file
from services.kit.settings import AuthSettings

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


def ensure_signing_key(path: Path) -> bool:
    """Create the signing key, readable by its owner only, unless it is there; return whether it is new."""
    key = Ed25519PrivateKey.generate()
    return ensure_key_file(path, lambda: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


class Tokens:
    """Signs, verifies and derives with one key."""

    def __init__(self, settings: AuthSettings) -> None:
        """Load the key. Raises OSError or ValueError when the file is not there or not an Ed25519 key."""
        pem = settings.signing_key_file.read_bytes()
        key = load_pem_private_key(pem, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError(f"{settings.signing_key_file} is not an Ed25519 key")  # noqa: TRY004 - the file is at fault
        self._key = key
        self._public_key = key.public_key()
        self._life_s = settings.access_token_life_s
        self._derivation_key = hashlib.sha256(b"pipeloom derived secrets\n" + pem).digest()
        self._verified: dict[str, tuple[Identity, float]] = {}

    def access_token(self, identity: Identity) -> str:
        """Return a signed access token for `identity`."""
        now = int(time.time())
        claims = {
            "sub": identity.user_id,
            "environment": identity.environment,
            "iat": now,
            "exp": now + self._life_s,
            "iss": ISSUER,
            "aud": AUDIENCE,
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)

    def identify(self, authorization: str | None) -> Identity:
        """Return who the `Authorization` header names. Raises Refused: unauthenticated, invalid_ or expired_token."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(
                Code.UNAUTHENTICATED,
                "Send `Authorization: Bearer ACCESS_TOKEN`; POST /api/v1/auth/refresh gives one for an SDK token.",
            )
        known = self._verified.get(token)
        if known and known[1] > time.time():
            return known[0]
        claims = self._verify(token)
        identity = Identity(claims["sub"], claims["environment"])
        if len(self._verified) >= CACHED_TOKENS:
            self._verified.clear()
        self._verified[token] = (identity, claims["exp"])
        return identity

    def _verify(self, token: str) -> dict[str, Any]:
        required = ["exp", "iat", "sub", "environment"]
        return self._decoded(token, AUDIENCE, required, "get a new one from POST /api/v1/auth/refresh")

    def _decoded(self, token: str, audience: str, required: list[str], advice: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._public_key,
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
        now = int(time.time())
        return jwt.encode(
            {**claims, "iat": now, "exp": now + life_s, "iss": ISSUER, "aud": audience}, self._key, ALGORITHM
        )

    def read_ticket(self, audience: str, ticket: str) -> dict[str, Any]:
        """Return what a ticket says. Raises Refused: invalid_token or expired_token."""
        return self._decoded(ticket, audience, ["exp", "iat"], "ask for a new URL")

    def endpoint_token(self, environment: str, command_id: UUID) -> str:
        """Return the token of the endpoint that a command creates: a repeat of the command gets the same one."""
        message = f"endpoint\n{environment}\n{command_id}".encode()
        return hmac.new(self._derivation_key, message, hashlib.sha256).hexdigest()
