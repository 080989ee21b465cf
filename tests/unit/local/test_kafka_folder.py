from pathlib import Path

import pytest

from pipeloom.local.kafka_folder import is_prepared, keep_bootstrap, kept_bootstrap, prepare


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIPELOOM_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "cache" / "kafka").mkdir(parents=True)
    return tmp_path / "data"


def test_the_tool_is_needed_as_long_as_nothing_is_kept(data: Path) -> None:
    assert not prepare(data)

    assert not is_prepared(data)


def test_a_new_folder_gets_what_the_tool_wrote_once_and_ids_of_its_own(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    (data / "bootstrap.checkpoint").write_bytes(b"features")
    keep_bootstrap(data)

    folders = [tmp_path / "one", tmp_path / "two"]

    assert [prepare(folder) and is_prepared(folder) for folder in folders] == [True, True]
    assert [(folder / "bootstrap.checkpoint").read_bytes() for folder in folders] == [b"features"] * 2
    ids = [
        line for folder in folders for line in (folder / "meta.properties").read_text().splitlines() if ".id=" in line
    ]
    assert len([line for line in set(ids) if not line.startswith("node")]) == 4


def test_what_is_kept_leaves_nothing_else_in_the_cache(data: Path) -> None:
    data.mkdir()
    (data / "bootstrap.checkpoint").write_bytes(b"features")

    keep_bootstrap(data)

    assert list(kept_bootstrap().parent.iterdir()) == [kept_bootstrap()]
