"""Who a token names, and which tokens name nobody."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import ValidationError

from events.refusals import Code, Refused
from services.kit import tokens as module
from services.kit.settings import AuthSettings
from services.kit.signing_keys import ensure_signing_key
from services.kit.tokens import Identity, Tokens, hash_secret, new_sdk_token

ADA = Identity("7e3f2d0c-0000-4000-8000-000000000001", "lab")
COMMAND = UUID("0192f6a0-0000-7000-8000-000000000001")


@pytest.fixture
def key(key_file: Path) -> Ed25519PrivateKey:
    loaded = load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(loaded, Ed25519PrivateKey)
    return loaded


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "sub": ADA.user_id,
        "environment": "lab",
        "iat": now,
        "exp": now + 600,
        "iss": "pipeloom",
        "aud": "pipeloom-api",
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def code_of(tokens: Tokens, authorization: str | None) -> Code:
    with pytest.raises(Refused) as caught:
        tokens.identify(authorization)
    return caught.value.code


def test_an_access_token_names_whom_it_was_made_for(tokens: Tokens) -> None:
    assert tokens.identify(f"Bearer {tokens.access_token(ADA)}") == ADA


def test_it_is_known_until_when_a_token_counts(tokens: Tokens) -> None:
    bearer = f"Bearer {tokens.access_token(ADA)}"
    told = [tokens.expires_at(bearer) for _ in range(2)]
    assert told[0] == told[1] == pytest.approx(time.time() + 900, abs=5)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer"])
def test_the_scheme_may_be_written_in_any_case(tokens: Tokens, scheme: str) -> None:
    assert tokens.identify(f"{scheme} {tokens.access_token(ADA)}") == ADA


def test_an_access_token_says_what_the_sdk_reads(tokens: Tokens) -> None:
    told = jwt.decode(tokens.access_token(ADA), options={"verify_signature": False})
    assert (told["sub"], told["environment"], told["iss"]) == (ADA.user_id, "lab", "pipeloom")
    assert told["exp"] - told["iat"] == 900
    assert told["exp"] > time.time() + 30


def test_a_life_shorter_than_the_sdk_can_use_is_no_setting() -> None:
    with pytest.raises(ValidationError, match="access_token_life_s"):
        AuthSettings(access_token_life_s=59)


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "EndpointToken abc"])
def test_without_a_bearer_token_one_is_asked_for(tokens: Tokens, authorization: str | None) -> None:
    assert code_of(tokens, authorization) is Code.UNAUTHENTICATED


@pytest.mark.parametrize(
    "text", ["opaque", "a.b.c", "..", "é.ü.ö", "a b c", "\x00", pytest.param(new_sdk_token(), id="sdk-token")]
)
def test_a_text_that_is_no_token_is_invalid(tokens: Tokens, text: str) -> None:
    assert code_of(tokens, f"Bearer {text}") is Code.INVALID_TOKEN


def test_a_token_signed_as_ours_is_good(tokens: Tokens, key: Ed25519PrivateKey) -> None:
    assert tokens.identify(f"Bearer {jwt.encode(claims(), key, 'EdDSA')}") == ADA


def test_an_expired_token_is_told_apart(tokens: Tokens, key: Ed25519PrivateKey) -> None:
    expired = jwt.encode(claims(exp=int(time.time()) - 1), key, "EdDSA")
    assert code_of(tokens, f"Bearer {expired}") is Code.EXPIRED_TOKEN


def test_a_cached_token_expires_too(tokens: Tokens, key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    token = jwt.encode(claims(exp=int(time.time()) + 600), key, "EdDSA")
    tokens.identify(f"Bearer {token}")
    later = time.time() + 601

    class Clock(jwt.api_jwt.datetime):  # type: ignore[misc, name-defined]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(later, tz)

    monkeypatch.setattr("services.kit.tokens.time.time", lambda: later)
    monkeypatch.setattr(jwt.api_jwt, "datetime", Clock)
    assert code_of(tokens, f"Bearer {token}") is Code.EXPIRED_TOKEN


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "another"},
        {"iss": None},
        {"sub": None},
        {"sub": 17},
        {"environment": None},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"iat": int(time.time()) + 3600},
        {"nbf": int(time.time()) + 3600},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_a_token_with_other_claims_is_invalid(tokens: Tokens, key: Ed25519PrivateKey, changes: dict[str, Any]) -> None:
    assert code_of(tokens, f"Bearer {jwt.encode(claims(**changes), key, 'EdDSA')}") is Code.INVALID_TOKEN


def test_a_token_of_another_key_is_invalid(tokens: Tokens) -> None:
    forged = jwt.encode(claims(), Ed25519PrivateKey.generate(), "EdDSA")
    assert code_of(tokens, f"Bearer {forged}") is Code.INVALID_TOKEN


def test_a_token_without_a_signature_is_invalid(tokens: Tokens) -> None:
    unsigned = jwt.encode(claims(), "", "none")
    assert code_of(tokens, f"Bearer {unsigned}") is Code.INVALID_TOKEN


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER, Encoding.Raw])
def test_a_token_keyed_with_our_public_key_is_invalid(
    tokens: Tokens, key: Ed25519PrivateKey, encoding: Encoding
) -> None:
    form = PublicFormat.Raw if encoding is Encoding.Raw else PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(encoding, form)
    assert code_of(tokens, f"Bearer {_hmac_signed(claims(), public)}") is Code.INVALID_TOKEN


def test_a_token_whose_claims_were_changed_is_invalid(tokens: Tokens) -> None:
    header, _, signature = tokens.access_token(ADA).split(".")
    changed = ".".join((header, _part(claims(environment="another")), signature))
    assert code_of(tokens, f"Bearer {changed}") is Code.INVALID_TOKEN


def test_a_token_is_verified_once_in_its_life(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    authorization = f"Bearer {tokens.access_token(ADA)}"
    tokens.identify(authorization)
    monkeypatch.setattr(jwt, "decode", pytest.fail)
    assert tokens.identify(authorization) == ADA


def test_no_more_tokens_are_kept_than_fit(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHED_TOKENS", 3)
    for number in range(10):
        tokens.identify(f"Bearer {tokens.access_token(Identity(f'user-{number}', 'lab'))}")
        assert len(tokens._verified) <= 3


def test_a_refused_token_is_not_kept(tokens: Tokens) -> None:
    code_of(tokens, "Bearer a.b.c")
    assert not tokens._verified


def test_a_repeated_command_gets_the_same_endpoint_token(tokens: Tokens, key_file: Path) -> None:
    restarted = Tokens(AuthSettings(signing_key_file=key_file))
    assert tokens.endpoint_token("lab", COMMAND) == restarted.endpoint_token("lab", COMMAND)


def test_every_endpoint_has_a_token_of_its_own(tokens: Tokens, tmp_path: Path) -> None:
    ensure_signing_key(tmp_path / "other.pem")
    other = Tokens(AuthSettings(signing_key_file=tmp_path / "other.pem"))
    made = {
        tokens.endpoint_token("lab", COMMAND),
        tokens.endpoint_token("shop", COMMAND),
        tokens.endpoint_token("lab", UUID(int=2)),
        other.endpoint_token("lab", COMMAND),
    }
    assert len(made) == 4
    assert all(len(token) == 64 for token in made)


def test_sdk_tokens_are_random_and_stored_hashed() -> None:
    tokens = {new_sdk_token() for _ in range(100)}
    assert len(tokens) == 100
    for token in tokens:
        assert len(token) >= 43
        assert len(hash_secret(token)) == 32
        assert token.encode() not in hash_secret(token)


def test_a_new_signing_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "down" / "key.pem"
    assert ensure_signing_key(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["key.pem"]


def test_a_signing_key_that_is_there_is_kept(key_file: Path) -> None:
    before = key_file.read_bytes()
    assert not ensure_signing_key(key_file)
    assert key_file.read_bytes() == before


def test_a_draft_that_was_left_behind_does_not_loosen_the_mode(tmp_path: Path) -> None:
    draft = tmp_path / "key.new"
    draft.write_text("half a key")
    draft.chmod(0o644)
    ensure_signing_key(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600


def test_without_a_key_file_there_are_no_tokens(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"key\.pem"):
        Tokens(AuthSettings(signing_key_file=tmp_path / "key.pem"))


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(ValueError, match=r"PEM"):
        Tokens(AuthSettings(signing_key_file=tmp_path / "key.pem"))


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    with pytest.raises(ValueError, match="not an Ed25519 key"):
        Tokens(AuthSettings(signing_key_file=tmp_path / "key.pem"))


def _hmac_signed(payload: dict[str, Any], key: bytes) -> str:
    """Sign with HS256 by hand: PyJWT itself refuses a public key as a secret."""
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(payload)}"
    return f"{signed}.{_encoded(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def _part(content: dict[str, Any]) -> str:
    return _encoded(json.dumps(content).encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
