"""The keys that sign access tokens: one file, the key in use first and the one before it behind it."""

import hashlib
import hmac
import json
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import OKPAlgorithm

from services.kit.key_files import write_key_file

# How long a process may go on with the keys that it has read.
LOOK_EVERY_S = 1.0
KEPT_KEYS = 2

_PEM = re.compile(rb"-----BEGIN [A-Z ]+-----\n.+?\n-----END [A-Z ]+-----\n?", re.DOTALL)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One Ed25519 key, with the id that the tokens which it signed name (`kid`)."""

    id: str
    private: Ed25519PrivateKey
    public: Ed25519PublicKey
    derivation: bytes

    def derive(self, message: bytes) -> str:
        """Return a secret that only who has this key can compute, as 64 hexadecimal digits."""
        return hmac.new(self.derivation, message, hashlib.sha256).hexdigest()

    def jwk(self) -> dict[str, Any]:
        """Return the public half as a JSON Web Key (source: RFC 8037)."""
        return {"kid": self.id, "use": "sig", "alg": "EdDSA", **_public_jwk(self.public)}


def ensure_signing_key(path: Path) -> bool:
    """Create the file with a new key, readable by its owner only, unless it is there; return whether it is new."""
    if path.exists():
        return False
    write_key_file(path, _new_pem())
    return True


def rotate_signing_key(path: Path, *, drop_previous: bool = False) -> list[str]:
    """Put a new key first and return the ids of all that are then accepted.

    The key before it stays accepted, for the tokens that it has signed, unless `drop_previous`. Raises OSError or
    ValueError when the file cannot be used.
    """
    read_signing_keys(path)
    blocks = _blocks(path)
    kept = [] if drop_previous else blocks[: KEPT_KEYS - 1]
    write_key_file(path, b"".join([_new_pem(), *kept]))
    return [key.id for key in read_signing_keys(path)]


def read_signing_keys(path: Path) -> list[SigningKey]:
    """Return the keys of the file, the one in use first. Raises OSError or ValueError when it cannot be used."""
    return [_key(path, block) for block in _blocks(path)]


def why_unusable(path: Path, error: Exception) -> str:
    """Say what is wrong with the file of which `read_signing_keys` raised `error`, and what to do."""
    if isinstance(error, FileNotFoundError):
        return f"there is no signing key at {path}: run `pipeloom init`, or set PIPELOOM_AUTH__SIGNING_KEY_FILE"
    if isinstance(error, OSError):
        return (
            f"the signing key cannot be used ({error}): mend the file's rights, or set PIPELOOM_AUTH__SIGNING_KEY_FILE"
        )
    return (
        f"the signing key cannot be used, since {path} holds no usable key: move that file away and run "
        "`pipeloom init`, which makes a new one (all access tokens become invalid, clients get new ones by "
        "themselves), or put back the file from a backup"
    )


class KeyFile:
    """The keys of a file that may be rotated under way: read anew, at most once a second, when it was replaced."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raises OSError or ValueError when it cannot be used."""
        self._path = path
        self._stamp = self._look()
        self._keys: Sequence[SigningKey] = read_signing_keys(path)
        self._looked_at = time.monotonic()

    def keys(self, *, anew: bool = False) -> Sequence[SigningKey]:
        """Return the keys, the one in use first; the same object as long as the file is the same.

        With `anew` it looks at once whether the file was replaced.
        """
        if anew or time.monotonic() - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            self._refresh()
        return self._keys

    def _refresh(self) -> None:
        """Take the keys of a file that was replaced; one that cannot be used is told once and not taken."""
        stamp = self._stamp
        try:
            stamp = self._look()
            if stamp != self._stamp:
                self._keys = read_signing_keys(self._path)
                log.info("the signing keys were read anew", keys=[key.id for key in self._keys])
        except (OSError, ValueError) as error:
            if stamp != self._stamp:
                log.warning("the new signing key file cannot be used; going on with the keys before", error=str(error))
        self._stamp = stamp

    def _look(self) -> tuple[int, int, int]:
        status = self._path.stat()
        return status.st_ino, status.st_mtime_ns, status.st_size


def _key(path: Path, pem: bytes) -> SigningKey:
    try:
        private = load_pem_private_key(pem, password=None)
    except (TypeError, UnsupportedAlgorithm) as error:  # it has a passphrase, or is of a kind that nobody knows
        raise ValueError(f"{path} is not an Ed25519 key without a passphrase") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError(f"{path} is not an Ed25519 key")  # noqa: TRY004 - the file is at fault
    public = private.public_key()
    derivation = hashlib.sha256(b"pipeloom derived secrets\n" + pem).digest()
    return SigningKey(_thumbprint(public), private, public, derivation)


def _blocks(path: Path) -> list[bytes]:
    """Return the file's keys as they stand; one that holds none is left to the loader, which says what is wrong."""
    content = path.read_bytes()
    return _PEM.findall(content) or [content]


def _new_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public_jwk(public: Ed25519PublicKey) -> dict[str, str]:
    jwk: dict[str, str] = OKPAlgorithm.to_jwk(public, as_dict=True)
    return {name: jwk[name] for name in ("crv", "kty", "x")}


def _thumbprint(public: Ed25519PublicKey) -> str:
    """Return the key's thumbprint (source: RFC 7638), so that every process gives it the same id."""
    canonical = json.dumps(_public_jwk(public), sort_keys=True, separators=(",", ":")).encode()
    return urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()
