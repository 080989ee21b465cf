"""Secrets are sealed: for their context only, the same way each time, under keys that rotate."""

from pathlib import Path

import pytest

from events.names import is_sealed
from services.kit.sealing import SealBroken, Sealer, ensure_secrets_key
from services.kit.settings import SecretsSettings

CONTEXT = "demo/steps/train/repository_deploy_key"
SECRET = "a deploy key, ключ"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "secrets.key"
    assert ensure_secrets_key(path)
    return path


@pytest.fixture
def sealer(key_file: Path) -> Sealer:
    return Sealer(SecretsSettings(key_file=key_file))


def test_what_was_sealed_can_be_opened_in_its_context(sealer: Sealer) -> None:
    sealed = sealer.seal(SECRET, context=CONTEXT)
    assert is_sealed(sealed)
    assert "deploy" not in sealed
    assert sealer.open(sealed, context=CONTEXT) == SECRET


def test_a_repeat_is_sealed_to_the_same_text_and_another_context_to_another(sealer: Sealer) -> None:
    sealed = sealer.seal(SECRET, context=CONTEXT)
    assert sealer.seal(SECRET, context=CONTEXT) == sealed
    assert sealer.seal(SECRET, context="other/steps/train/repository_deploy_key") != sealed


def test_another_context_does_not_open_it(sealer: Sealer) -> None:
    with pytest.raises(SealBroken, match="sealed for something else"):
        sealer.open(sealer.seal(SECRET, context=CONTEXT), context="other")


@pytest.mark.parametrize("text", ["", "in the clear", "sealed:v1", "sealed:v1:00000000:AAAA", "sealed:v9:a:b"])
def test_what_no_key_of_ours_sealed_is_not_opened(sealer: Sealer, text: str) -> None:
    with pytest.raises(SealBroken) as broken:
        sealer.open(text, context=CONTEXT)
    assert "clear" not in str(broken.value)


@pytest.mark.parametrize(
    "spoil", [lambda text: text[:-6], lambda text: f"{text[:-9]}AAAA{text[-5:]}", lambda text: f"{text}é"]
)
def test_a_changed_text_is_not_opened(sealer: Sealer, spoil) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    with pytest.raises(SealBroken):
        sealer.open(spoil(sealer.seal(SECRET, context=CONTEXT)), context=CONTEXT)


def test_after_a_rotation_old_secrets_open_and_new_ones_are_sealed_with_the_new_key(
    sealer: Sealer, key_file: Path, tmp_path: Path
) -> None:
    old = sealer.seal(SECRET, context=CONTEXT)
    ensure_secrets_key(tmp_path / "new.key")
    key_file.write_text((tmp_path / "new.key").read_text() + key_file.read_text())
    rotated = Sealer(SecretsSettings(key_file=key_file))
    assert rotated.open(old, context=CONTEXT) == SECRET
    new = rotated.seal(SECRET, context=CONTEXT)
    assert new != old
    with pytest.raises(SealBroken, match="not in the key file"):
        sealer.open(new, context=CONTEXT)


def test_the_key_file_is_its_owners_only_and_is_kept(key_file: Path) -> None:
    assert key_file.stat().st_mode & 0o777 == 0o600
    before = key_file.read_bytes()
    assert not ensure_secrets_key(key_file)
    assert key_file.read_bytes() == before


@pytest.mark.parametrize("content", ["", "\n", "short\n", "not base64!\n", "ключ\n"])
def test_a_file_that_holds_no_key_is_told_without_its_content(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.key").write_text(content)
    with pytest.raises(ValueError, match=r"bad\.key|ascii"):
        Sealer(SecretsSettings(key_file=tmp_path / "bad.key"))
