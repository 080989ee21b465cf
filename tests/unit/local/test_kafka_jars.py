import hashlib
from pathlib import Path

import pytest

from pipeloom.local.errors import DownloadError
from pipeloom.local.kafka_jars import LOCK_FILE, LockedJar, cache_dir, read_lock, verify_all

JAR = LockedJar("org.example", "thing", "1.0", hashlib.sha256(b"right").hexdigest())


def test_the_lock_names_each_jar_once_with_a_sum_and_no_host() -> None:
    jars = read_lock()

    assert {jar.filename for jar in jars} >= {
        "kafka_2.13-4.3.1.jar",
        "kafka-clients-4.3.1.jar",
        "slf4j-simple-2.0.17.jar",
    }
    assert len({jar.filename for jar in jars}) == len(jars)
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars)
    assert "//" not in LOCK_FILE.read_text()


def test_a_locked_jar_passes(tmp_path: Path) -> None:
    (tmp_path / JAR.filename).write_bytes(b"right")

    verify_all([JAR], tmp_path)


def test_a_changed_jar_in_the_cache_is_refused_with_both_sums(tmp_path: Path) -> None:
    (tmp_path / JAR.filename).write_bytes(b"wrong")

    with pytest.raises(DownloadError) as refusal:
        verify_all([JAR], tmp_path)

    assert hashlib.sha256(b"wrong").hexdigest() in str(refusal.value)
    assert JAR.sha256 in str(refusal.value)
    assert "Delete it and start again" in str(refusal.value)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"PIPELOOM_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/pipeloom"),
        ({"HOME": "/c"}, "/c/.cache/pipeloom"),
    ],
)
def test_the_cache_folder_follows_the_users_settings(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIPELOOM_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert cache_dir() == Path(expected)
