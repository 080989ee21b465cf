"""Steps that were uploaded: checked through the archive, of which nothing is unpacked."""

import io
import tarfile
import threading
from pathlib import PurePosixPath
from typing import Any

import pytest

from events.refusals import FailureCode
from services.builder.errors import Unbuildable
from services.builder.examine import Bench, Built, examine
from services.builder.tree import MAX_FILE_BYTES, Kind, TooLarge
from services.builder.uploaded import uploaded_source
from services.kit.objects import StoreTrouble
from services.kit.settings import BuilderSettings
from tests.unit.builder.bench import ENVIRONMENT, LIMITS, bench_of

CODE = b"def train(rows): ...\n"


@pytest.fixture
def bench(settings: BuilderSettings) -> Bench:
    return bench_of(settings)


def packed(files: dict[str, bytes], links: dict[str, str] | None = None, kind: bytes = tarfile.SYMTYPE) -> io.BytesIO:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for name, to in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, to
            tar.addfile(member)
    return target


def build(bench: Bench, step: Any, archive: io.BytesIO) -> Built:
    uploaded = step.model_copy(update={"source": bench.objects.put(archive), "origin": "local"})
    return examine(ENVIRONMENT, uploaded, bench, threading.Event())


@pytest.mark.parametrize("name", ["src/train.py", "./src/train.py"])
def test_an_uploaded_step_passes_the_same_checks_and_is_kept_as_it_came(
    bench: Bench, make_step: Any, name: str
) -> None:
    archive = packed({name: CODE})
    built = build(bench, make_step(), archive)
    assert built == Built(None, "local", bench.objects.put(archive))
    assert list(bench.settings.work_dir.iterdir()) == []


def test_what_is_wrong_in_an_uploaded_step_has_its_code(bench: Bench, make_step: Any) -> None:
    for archive, code in (
        (packed({"other.py": CODE}), FailureCode.FILE_NOT_FOUND),
        (packed({"src/train.py": b"def other(): ..."}), FailureCode.FUNCTION_NOT_FOUND),
        (packed({"../train.py": CODE}), FailureCode.UNSAFE_SOURCE),
        (io.BytesIO(b"no archive"), FailureCode.SOURCE_UNREADABLE),
        (packed({f"f{number}": b"" for number in range(101)}), FailureCode.SOURCE_TOO_LARGE),
    ):
        with pytest.raises(Unbuildable) as refused:
            build(bench, make_step(), archive)
        assert refused.value.code is code


def test_an_archive_that_is_not_kept_is_told(bench: Bench, make_step: Any) -> None:
    with pytest.raises(Unbuildable, match="upload it again") as refused:
        examine(ENVIRONMENT, make_step(source=f"sha256:{'0' * 64}"), bench, threading.Event())
    assert refused.value.code is FailureCode.SOURCE_UNREADABLE


def test_a_store_in_trouble_is_our_own_trouble(bench: Bench, make_step: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreTrouble("away")

    monkeypatch.setattr(bench.objects.__class__, "fetch", fail)
    with pytest.raises(OSError, match="away"):
        examine(ENVIRONMENT, make_step(source=f"sha256:{'0' * 64}"), bench, threading.Event())


def test_the_tree_tells_files_folders_and_links_apart_and_follows_no_symbolic_one(bench: Bench) -> None:
    files = {"a/b.py": b"old", "./a/b.py": b"1", "large": b"x" * (MAX_FILE_BYTES + 1)}
    name = bench.objects.put(packed(files, {"l": "a/b.py", "a/m": "b.py"}))
    with uploaded_source(name, bench.objects, LIMITS, bench.settings.work_dir) as source:
        kinds = {path: source.tree.kind(PurePosixPath(path)) for path in (".", "a", "a/b.py", "l", "no", "a/b.py/c")}
        assert kinds == {
            ".": Kind.FOLDER,
            "a": Kind.FOLDER,
            "a/b.py": Kind.FILE,
            "l": Kind.LINK,
            "no": None,
            "a/b.py/c": None,
        }
        assert source.tree.read(PurePosixPath("a/b.py")) == b"1"
        assert source.tree.read(PurePosixPath("l")) is None
        with pytest.raises(TooLarge):
            source.tree.read(PurePosixPath("large"))
        assert [(str(entry.path), entry.kind) for entry in source.tree.entries()] == [
            ("a/b.py", Kind.FILE),
            ("a/m", Kind.LINK),
            ("l", Kind.LINK),
            ("large", Kind.FILE),
        ]


def test_a_hard_link_is_the_file_that_it_names(bench: Bench) -> None:
    name = bench.objects.put(packed({"a.py": b"1"}, {"b.py": "a.py"}, tarfile.LNKTYPE))
    with uploaded_source(name, bench.objects, LIMITS, bench.settings.work_dir) as source:
        assert source.tree.kind(PurePosixPath("b.py")) is Kind.FILE
        assert source.tree.read(PurePosixPath("b.py")) == b"1"
