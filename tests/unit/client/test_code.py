"""A step's code: uploaded from a folder, and fetched again."""

import io
import os
import tarfile
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from pipeloom import NotFound, StepNotFound, Unreadable, writes
from pipeloom.client.upload import bracketed, form_fields, packed
from services.command.forms import read_form, step_of_form

from .conftest import Caller, Service

READY = {"creation_info": {"status": "Ready"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with code, and with what is not code."""
    files = {"src/train.py": "def train(): ...", ".git/config": "[core]", "src/__pycache__/train.pyc": "x"}
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


async def test_a_folder_is_uploaded_beside_the_fields(call: Caller, service: Service, folder: Path) -> None:
    service.answers(206, READY)

    config = {"local_folder": folder, "requirements_path": "requirements.txt"}
    inputs = [{"name": "a", "is_required": True}, {"name": "b", "default_value": {"x": [2, None]}}]
    await call("create_step", "s", "src/train.py", "train", container_config=config, inputs=inputs)

    fields = fields_of(service.request)
    with tarfile.open(fileobj=io.BytesIO(fields.pop("step_file")), mode="r:gz") as archive:
        assert {name for name in archive.getnames() if archive.getmember(name).isfile()} == {"./src/train.py"}
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
    assert config["local_folder"] == folder


async def test_a_repeated_upload_is_the_same_request(call: Caller, service: Service, folder: Path) -> None:
    service.fails(httpx.ReadError).answers(206, READY)
    await call("create_step", "s", "src/train.py", "train", container_config={"local_folder": str(folder)})
    first, second = (fields_of(request) for request in service.requests)
    assert first == second


def test_the_same_files_are_packed_the_same(folder: Path) -> None:
    before = packed(folder)
    os.utime(folder / "src/train.py", (1, 1))
    assert packed(folder) == before


def test_both_names_of_a_file_are_packed(folder: Path) -> None:
    os.link(folder / "src/train.py", folder / "src/same.py")
    with tarfile.open(fileobj=io.BytesIO(packed(folder)), mode="r:gz") as archive:
        read = {name: archive.extractfile(f"./src/{name}.py") for name in ("train", "same")}
        assert {name: file and file.read() for name, file in read.items()} == dict.fromkeys(read, b"def train(): ...")


@pytest.mark.parametrize(
    ("data_type", "value", "text"),
    [
        ("json", {"n": 1, "flag": True}, '{"n": 1, "flag": true}'),
        ("json", "5", '"5"'),
        ("array", [1, 2.5, None], "[1, 2.5, null]"),
        ("array", [], "[]"),
        ("number", 3, "3"),
        ("boolean", False, "false"),
        ("string", "5", "5"),
        ("string", "", ""),
    ],
)
def test_a_default_value_keeps_its_type_on_the_way(data_type: str, value: Any, text: str) -> None:
    given = {"name": "a", "data_type": data_type, "default_value": value}
    sent = form_fields({"inputs": [given]})
    assert sent["inputs[0][default_value]"] == text
    assert step_of_form(read_form(urlencode(sent).encode()))["inputs"][0]["default_value"] == value


def test_no_default_value_is_not_sent() -> None:
    assert form_fields({"inputs": [{"name": "a", "default_value": None}]}) == {"inputs[0][name]": "a"}


def test_what_is_no_folder_cannot_be_uploaded(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="local_folder"):
        writes.create_step("s", "a.py", "f", container_config={"local_folder": str(tmp_path / "absent")})


def test_what_is_empty_has_no_field() -> None:
    assert list(bracketed({"inputs": [], "config": {}, "name": "s"})) == [("name", "s")]


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
