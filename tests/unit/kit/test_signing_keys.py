"""Keys rotate while processes run: what was signed before stays good, unless it is meant to end."""

from pathlib import Path
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from events.refusals import Code, Refused
from services.kit import signing_keys
from services.kit.settings import AuthSettings
from services.kit.signing_keys import KeyFile, ensure_signing_key, read_signing_keys, rotate_signing_key
from services.kit.tokens import Identity, Tokens, hash_secret

ADA = Identity("7e3f2d0c-0000-4000-8000-000000000001", "lab")
COMMAND = UUID("0192f6a0-0000-7000-8000-000000000001")


@pytest.fixture(autouse=True)
def _always_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_keys, "LOOK_EVERY_S", 0.0)


def kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def test_a_token_names_the_key_that_signed_it(tokens: Tokens, key_file: Path) -> None:
    assert kid(tokens.access_token(ADA)) == read_signing_keys(key_file)[0].id


def test_after_a_rotation_the_new_key_signs_and_the_one_before_is_still_accepted(
    tokens: Tokens, key_file: Path
) -> None:
    before = tokens.access_token(ADA)
    rotate_signing_key(key_file)
    after = tokens.access_token(ADA)
    assert kid(after) != kid(before)
    assert tokens.identify(f"Bearer {before}") == tokens.identify(f"Bearer {after}") == ADA


def test_two_keys_are_kept_and_no_third(tokens: Tokens, key_file: Path) -> None:
    first = tokens.access_token(ADA)
    rotate_signing_key(key_file)
    accepted = rotate_signing_key(key_file)
    assert len(accepted) == 2
    assert kid(first) not in accepted
    with pytest.raises(Refused) as caught:
        tokens.identify(f"Bearer {first}")
    assert caught.value.code is Code.INVALID_TOKEN


def test_a_key_that_is_dropped_ends_its_tokens_at_once_also_those_that_were_verified(
    tokens: Tokens, key_file: Path
) -> None:
    token = tokens.access_token(ADA)
    assert tokens.identify(f"Bearer {token}") == ADA
    rotate_signing_key(key_file, drop_previous=True)
    with pytest.raises(Refused) as caught:
        tokens.identify(f"Bearer {token}")
    assert caught.value.code is Code.INVALID_TOKEN


def test_a_process_that_has_not_looked_yet_accepts_what_another_one_signed(
    tokens: Tokens, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_keys, "LOOK_EVERY_S", 3600.0)
    rotate_signing_key(key_file)
    another = Tokens(AuthSettings(signing_key_file=key_file))
    assert tokens.identify(f"Bearer {another.access_token(ADA)}") == ADA


def test_a_file_that_becomes_unusable_leaves_the_keys_in_use(tokens: Tokens, key_file: Path) -> None:
    token = tokens.access_token(ADA)
    key_file.write_text("half a key")
    assert tokens.identify(f"Bearer {token}") == ADA
    key_file.unlink()
    assert kid(tokens.access_token(ADA)) == kid(token)


def test_keys_are_the_same_object_until_the_file_is_replaced(key_file: Path) -> None:
    file = KeyFile(key_file)
    assert file.keys() is file.keys(anew=True)
    before = file.keys()
    rotate_signing_key(key_file)
    assert file.keys() is not before


def test_a_rotated_file_is_readable_by_its_owner_only(key_file: Path) -> None:
    rotate_signing_key(key_file)
    assert key_file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_holds_no_key_is_not_rotated(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(ValueError, match="PEM"):
        rotate_signing_key(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").read_text() == "no key"


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    locked = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a passphrase")
    )
    (tmp_path / "key.pem").write_bytes(locked)
    with pytest.raises(ValueError, match="without a passphrase"):
        read_signing_keys(tmp_path / "key.pem")


def test_the_key_set_publishes_the_public_halves_of_all_accepted_keys(tokens: Tokens, key_file: Path) -> None:
    before = tokens.access_token(ADA)
    rotate_signing_key(key_file)
    after = tokens.access_token(ADA)
    published = jwt.PyJWKSet.from_dict(tokens.jwks())
    assert [key.key_id for key in published.keys] == [kid(after), kid(before)]
    for token in (before, after):
        claims = jwt.decode(token, published[kid(token)], algorithms=["EdDSA"], audience="pipeloom-api")
        assert claims["sub"] == ADA.user_id
    assert all(set(key) == {"kid", "use", "alg", "crv", "kty", "x"} for key in tokens.jwks()["keys"])


def test_an_endpoint_token_is_told_again_after_a_rotation(tokens: Tokens, key_file: Path) -> None:
    token = tokens.endpoint_token("lab", COMMAND)
    stored = hash_secret(token).hex()
    rotate_signing_key(key_file)
    assert tokens.endpoint_token("lab", COMMAND) != token
    assert tokens.told_endpoint_token("lab", COMMAND, stored) == token


def test_an_endpoint_token_whose_key_is_gone_is_not_made_up(tokens: Tokens, key_file: Path) -> None:
    stored = hash_secret(tokens.endpoint_token("lab", COMMAND)).hex()
    rotate_signing_key(key_file, drop_previous=True)
    assert tokens.told_endpoint_token("lab", COMMAND, stored) is None


def test_a_token_that_a_producer_made_up_itself_is_not_told(tokens: Tokens) -> None:
    assert tokens.told_endpoint_token("lab", COMMAND, hash_secret("its own").hex()) is None
    assert tokens.told_endpoint_token("lab", COMMAND, None) is None


def test_a_new_file_has_one_key(tmp_path: Path) -> None:
    ensure_signing_key(tmp_path / "key.pem")
    assert len(read_signing_keys(tmp_path / "key.pem")) == 1
