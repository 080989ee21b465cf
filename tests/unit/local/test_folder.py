from pathlib import Path

import pytest

from pipeloom.local import folder
from pipeloom.local.errors import StartError
from pipeloom.local.folder import demand_known_tables, demand_usable_key
from services.kit.signing_keys import ensure_signing_key


@pytest.fixture
def migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one migration."""
    found = tmp_path / "migrations"
    found.mkdir()
    (found / "0001.initial.sql").write_text("CREATE TABLE step (name text);")
    monkeypatch.setattr(folder, "_MIGRATIONS", found)
    return found


def start_once(data_dir: Path) -> None:
    demand_known_tables(data_dir)
    (data_dir / "postgres" / "pgdata").mkdir()


def test_a_folder_is_used_again_by_the_same_version_and_by_a_newer_one(tmp_path: Path, migrations: Path) -> None:
    start_once(tmp_path)

    demand_known_tables(tmp_path)
    (migrations / "0002.more.sql").write_text("ALTER TABLE step ADD COLUMN version int;")
    (migrations / "0002.more.rollback.sql").write_text("ALTER TABLE step DROP COLUMN version;")
    demand_known_tables(tmp_path)
    (migrations / "0002.more.rollback.sql").write_text("-- told better")
    demand_known_tables(tmp_path)


def test_a_folder_whose_migration_has_changed_since_is_refused_with_what_to_do(
    tmp_path: Path, migrations: Path
) -> None:
    start_once(tmp_path)
    (migrations / "0001.initial.sql").write_text("CREATE TABLE step (name text, status text);")

    with pytest.raises(StartError, match=rf"tables in {tmp_path} .* Move that folder away .*--data-dir"):
        demand_known_tables(tmp_path)


def test_a_folder_of_a_newer_version_is_refused(tmp_path: Path, migrations: Path) -> None:
    (migrations / "0002.more.sql").write_text("ALTER TABLE step ADD COLUMN version int;")
    start_once(tmp_path)
    (migrations / "0002.more.sql").unlink()

    with pytest.raises(StartError, match="another version"):
        demand_known_tables(tmp_path)


@pytest.mark.parametrize("record", [None, "", "[]", "junk"])
@pytest.mark.usefixtures("migrations")
def test_a_folder_that_does_not_say_what_made_its_tables_is_refused(tmp_path: Path, record: str | None) -> None:
    start_once(tmp_path)
    file = tmp_path / "postgres" / "migrations.json"
    file.unlink() if record is None else file.write_text(record)

    with pytest.raises(StartError, match="another version"):
        demand_known_tables(tmp_path)


def test_a_key_of_ours_and_one_that_is_not_made_yet_can_be_used(tmp_path: Path) -> None:
    demand_usable_key(tmp_path / "key.pem")
    ensure_signing_key(tmp_path / "key.pem")
    demand_usable_key(tmp_path / "key.pem")


@pytest.mark.parametrize("content", [b"", b"junk", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_corrupt_key_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(content)

    with pytest.raises(StartError, match=f"move the file {file} away to make a new one"):
        demand_usable_key(file)
