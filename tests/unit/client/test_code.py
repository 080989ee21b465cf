"""A step's code: uploaded from a folder, and fetched again."""

import io
import os
import random
import tarfile
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeloom import NotFound, StepNotFound, Unreadable, writes
from pipeloom.client.upload import Upload, wanted_paths

from .conftest import Caller, Service

READY = {"creation_info": {"status": "Ready"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with code, and with what is not code."""
    files = {
        "src/train.py": "def train(): ...",
        "requirements.txt": "numpy",
        ".git/config": "[core]",
        "src/__pycache__/train.pyc": "x",
    }
    for name, text in files.items():
        path = tmp_path / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    os.mkfifo(tmp_path / "code/pipe")
    return tmp_path / "code"


def fields_of(request: httpx.Request) -> dict[str, bytes]:
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message: Any = BytesParser().parsebytes(head + request.content)
    return {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in message.get_payload()
    }


def files_in(tarball: bytes) -> dict[str, bytes | None]:
    """Return what an archive has: of each member its name, of each file its content."""
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
        opened = {member.name: archive.extractfile(member) if member.isfile() else None for member in archive}
        return {name: file.read() if file else None for name, file in opened.items()}


def contents(folder: Path) -> dict[str, bytes | None]:
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


def packed(folder: Path, *paths: str) -> bytes:
    upload = Upload(folder, paths or ("/",))
    file = upload.opened()
    file.seek(0)
    return file.read()


@pytest.mark.parametrize("how", ["argument", "container_config"])
async def test_a_folder_is_uploaded_beside_the_fields(call: Caller, service: Service, folder: Path, how: str) -> None:
    service.answers(206, READY)

    config = {"requirements_path": "requirements.txt"} | ({"local_folder": folder} if how != "argument" else {})
    options = {"folder": str(folder)} if how == "argument" else {}
    inputs = [{"name": "a", "is_required": True}, {"name": "b", "default_value": {"x": [2, None]}}]
    await call("create_step", "s", "src/train.py", "train", container_config=config, inputs=inputs, **options)

    assert int(service.request.headers["content-length"]) == len(service.request.content)
    fields = fields_of(service.request)
    assert files_in(fields.pop("step_file")) == {
        "requirements.txt": b"numpy",
        "src": None,
        "src/train.py": b"def train(): ...",
    }
    assert fields == {
        "step_name": b"s",
        "function_path": b"src/train.py",
        "function_name": b"train",
        "container_config[requirements_path]": b"requirements.txt",
        "inputs[0][name]": b"a",
        "inputs[0][is_required]": b"True",
        "inputs[1][name]": b"b",
        "inputs[1][default_value]": b'{"x": [2, null]}',
    }
    assert ("local_folder" in config) == (how != "argument")


async def test_a_repeated_upload_is_the_same_request_although_the_folder_changes(
    call: Caller, service: Service, folder: Path
) -> None:
    def change(sent: int, size: int) -> None:
        (folder / "src/train.py").write_text("def other(): ...")

    service.fails(httpx.ReadError).answers(206, READY)
    await call("create_step", "s", "src/train.py", "train", folder=folder, on_upload=change)

    first, second = (fields_of(request) for request in service.requests)
    assert first == second
    assert files_in(first["step_file"])["src/train.py"] == b"def train(): ..."


async def test_how_much_is_sent_is_told(call: Caller, service: Service, folder: Path) -> None:
    (folder / "data").write_bytes(random.Random(1).randbytes(200_000))
    service.answers(206, READY)
    told: list[tuple[int, int]] = []

    await call("create_step", "s", "src/train.py", "train", folder=folder, on_upload=lambda *how: told.append(how))

    sent, sizes = zip(*told, strict=True)
    assert set(sizes) == {len(fields_of(service.request)["step_file"])}
    assert len(set(sent)) > 2
    assert (list(sent), sent[-1]) == (sorted(sent), sizes[0])


def test_the_same_files_are_packed_the_same(folder: Path) -> None:
    before = packed(folder)
    os.utime(folder / "src/train.py", (1, 1))
    assert packed(folder) == before


def test_what_is_packed_is_a_file_that_goes_with_the_upload(folder: Path) -> None:
    upload = Upload(folder, ["/"])
    file = upload.opened()
    assert file is upload.opened()
    del upload
    assert file.closed


def test_both_names_of_a_file_are_packed(folder: Path) -> None:
    os.link(folder / "src/train.py", folder / "src/same.py")
    files = files_in(packed(folder))
    assert files["src/same.py"] == files["src/train.py"] == b"def train(): ..."


def test_a_link_stays_a_link(folder: Path) -> None:
    (folder / "link").symlink_to("src")
    with tarfile.open(fileobj=io.BytesIO(packed(folder)), mode="r:gz") as archive:
        assert archive.getmember("link").linkname == "src"
        assert not [name for name in archive.getnames() if name.startswith("link/")]


@pytest.mark.parametrize(
    ("config", "taken"),
    [
        ({}, ["requirements.txt", "src", "src/train.py"]),
        ({"included_folders": ["/"]}, ["requirements.txt", "src", "src/train.py"]),
        ({"included_folders": []}, ["src/train.py"]),
        (
            {"included_folders": ["/src/"], "requirements_path": "requirements.txt"},
            ["requirements.txt", "src", "src/train.py"],
        ),
        ({"included_folders": ["requirements.txt"]}, ["requirements.txt", "src/train.py"]),
    ],
)
def test_what_is_included_goes_along_with_what_is_named(folder: Path, config: dict[str, Any], taken: list[str]) -> None:
    assert list(files_in(packed(folder, *wanted_paths("src/train.py", config)))) == taken


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"folder": "absent"}, NotADirectoryError, "'absent' is not a folder"),
        ({"folder": ".", "function_path": "absent.py"}, FileNotFoundError, "no 'absent.py'"),
        ({"folder": ".", "container_config": {"included_folders": ["../other"]}}, ValueError, "leads out"),
        ({"folder": ".", "container_config": {"local_folder": "."}}, ValueError, "given twice"),
    ],
)
def test_what_cannot_be_uploaded_is_told_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], error: type[Exception], told: str
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(error, match=told):
        writes.create_step(**{"step_name": "s", "function_path": "src/train.py", "function_name": "f", **options})


def test_an_update_takes_no_folder() -> None:
    with pytest.raises(ValueError, match="delete the step"):
        writes.update_step("s", container_config={"local_folder": "."})


@pytest.mark.parametrize("url", ["http://store.test/a?signature=x", "/store/a?signature=x"])
async def test_code_is_fetched_where_the_signed_url_leads_without_a_token(
    call: Caller, service: Service, url: str
) -> None:
    service.answers(200, {"signed_url": url}).answers_text(200, "tar")

    assert await call("download_step_code", "s") == b"tar"

    asked, fetched = service.requests
    assert asked.url.path == "/api/v1/steps/s/download"
    assert str(fetched.url).endswith(url)
    assert "authorization" not in fetched.headers


async def test_code_of_no_step_is_not_found(call: Caller, service: Service) -> None:
    service.answers(404, {"name": "step_not_found", "message": "none"})
    with pytest.raises(StepNotFound):
        await call("download_step_code", "s")


async def test_a_signed_url_that_has_expired_is_told_without_its_signature(call: Caller, service: Service) -> None:
    service.answers(200, {"signed_url": "http://store.test/a?signature=secret"}).answers_text(
        404, "<Code>Expired</Code>"
    )
    with pytest.raises(NotFound, match="Expired") as caught:
        await call("download_step_code", "s")
    assert "secret" not in str(caught.value)


async def test_an_answer_without_a_url_is_not_one_of_ours(call: Caller, service: Service) -> None:
    service.answers(200, {})
    with pytest.raises(Unreadable, match="signed_url"):
        await call("download_step_code", "s")


async def test_code_is_saved_in_a_folder_whole(call: Caller, service: Service, tmp_path: Path) -> None:
    service.answers(200, {"signed_url": "/a"}).answers_text(200, "tar")
    assert await call("download_step_local_folder", "s", tmp_path) == tmp_path / "s.tgz"
    assert contents(tmp_path) == {"s.tgz": b"tar"}


async def test_code_that_cannot_be_saved_leaves_nothing(call: Caller, service: Service, tmp_path: Path) -> None:
    (tmp_path / "s.tgz").mkdir()
    service.answers(200, {"signed_url": "/a"}).answers_text(200, "tar")
    with pytest.raises(IsADirectoryError):
        await call("download_step_local_folder", "s", str(tmp_path))
    assert contents(tmp_path) == {"s.tgz": None}
