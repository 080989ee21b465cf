"""Seals the secrets of users, so that events, documents and the database never hold them in the clear.

Sealing is deterministic (AES-SIV): the same secret in the same context gives the same text, so that a repeated request
is the same command. What that tells is only whether two values of one context are equal.
"""

import base64
import binascii
import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from events.secrets import DEPLOY_KEY
from services.kit.key_files import write_key_file
from services.kit.settings import SecretsSettings

SCHEME = "sealed:v1"
KEY_BITS = 512


class SealBroken(Exception):  # noqa: N818 - it names what happened
    """The text was not sealed by one of our keys in this context; the message never quotes it."""


def ensure_secrets_key(path: Path) -> bool:
    """Create the file with the sealing key unless it is there; return whether it is new."""
    if path.exists():
        return False
    write_key_file(path, base64.urlsafe_b64encode(AESSIV.generate_key(KEY_BITS)) + b"\n")
    return True


class Sealer:
    """Seals with the first key of a file and opens with any of them: to rotate, put a new key on a line before."""

    def __init__(self, settings: SecretsSettings) -> None:
        """Load the keys, one a line. Raises OSError or ValueError when there is none, or one that is no key."""
        lines = settings.key_file.read_text(encoding="ascii").split()
        try:
            keys = [base64.b64decode(line, altchars=b"-_", validate=True) for line in lines]
            self._ciphers = {_key_id(key): AESSIV(key) for key in keys}
        except ValueError as error:
            raise ValueError(f"{settings.key_file} holds a line that is not a sealing key") from error
        if not self._ciphers:
            raise ValueError(f"{settings.key_file} holds no sealing key")

    def seal(self, text: str, *, context: str) -> str:
        """Return `text` sealed for `context`, which says whose and what it is; only the same context opens it."""
        key_id, cipher = next(iter(self._ciphers.items()))
        sealed = cipher.encrypt(text.encode(), [SCHEME.encode(), context.encode()])
        return f"{SCHEME}:{key_id}:{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, sealed: str, *, context: str) -> str:
        """Return the text that `seal` was given. Raises SealBroken."""
        scheme, _, rest = sealed.rpartition(":")
        scheme, _, key_id = scheme.rpartition(":")
        if scheme != SCHEME:
            raise SealBroken("the text is not sealed")
        if key_id not in self._ciphers:
            raise SealBroken(f"the key {key_id!r} that sealed it is not in the key file")
        try:
            data = base64.b64decode(rest, altchars=b"-_", validate=True)
            return self._ciphers[key_id].decrypt(data, [SCHEME.encode(), context.encode()]).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise SealBroken("it was changed, or sealed for something else") from error


def deploy_key_context(environment: str, step_name: object) -> str:
    """Return the context in which a step's deploy key is sealed."""
    return f"{environment}/steps/{step_name}/{DEPLOY_KEY}"


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"pipeloom sealing key\n" + key).hexdigest()[:8]
