"""Steps that are uploaded: what is kept and sent, and what is refused before anything is sent."""

import asyncio
import gzip
import io
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from events.commands import CommandData, StepRequested, StepUpdateRequested
from services.command.routes import command_router
from services.command.sources import UPLOADS_AT_ONCE, Sources
from services.kit.health import Health
from services.kit.sealing import Sealer, deploy_key_context
from services.kit.settings import ObjectsSettings
from services.kit.tokens import Identity, Tokens
from services.kit.web import make_app

FIELDS = {
    "step_name": "train",
    "function_path": "src/train.py",
    "function_name": "train",
    "inputs[0][name]": "rows",
    "inputs[0][data_type]": "number",
    "inputs[0][is_required]": "True",
    "inputs[0][default_value]": "3",
    "container_config[included_folders][0]": "src",
}
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n-----END OPENSSH PRIVATE KEY-----\n"


class Taken:
    """Stands where commands are submitted: remembers them."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def submit(self, request: object, asker: object, data: CommandData, answer: object, *_: object) -> Response:
        self.sent.append(data)
        return JSONResponse({}, 202)


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
async def http(
    tokens: Tokens, sealer: Sealer, sources: Sources, objects_settings: ObjectsSettings, taken: Taken
) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(
        "command",
        [command_router(cast("Any", taken), tokens, sealer, sources)],
        Health(),
        body_timeout_s=1.0,
        upload_bytes=objects_settings.max_upload_bytes * 100,  # so that a whole one has far longer than a pause
        tokens=tokens,
    )
    headers = {"Authorization": f"Bearer {tokens.access_token(Identity('ada', 'lab'))}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test/api/v1", headers=headers
    ) as client:
        yield client


def archive(*names: str, content: bytes = b"def train(rows): ...\n", **fields: Any) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name in names or ("src/train.py",):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for field, value in fields.items():
                setattr(member, field, value)
            tar.addfile(member, io.BytesIO(content))
    return target.getvalue()


def kept_in(settings: ObjectsSettings) -> list[tuple[str, bytes]]:
    """Return the objects in the store."""
    root = Path(settings.location)
    return [(str(file.relative_to(root)), file.read_bytes()) for file in root.rglob("*") if file.is_file()]


def break_store(settings: ObjectsSettings) -> None:
    Path(settings.location).write_text("a file where the folder should be")


async def upload(http: httpx.AsyncClient, data: bytes, fields: dict[str, str] | None = None) -> httpx.Response:
    return await http.post("/steps", data=fields or FIELDS, files={"step_file": ("step_file", data)})


async def test_an_uploaded_step_is_kept_and_asked_for_with_typed_values(
    http: httpx.AsyncClient, taken: Taken, objects_settings: ObjectsSettings
) -> None:
    # When
    data = archive()
    answer = await upload(http, data)
    # Then
    assert answer.status_code == 202, answer.text
    [asked] = taken.sent
    assert isinstance(asked, StepRequested)
    assert asked.source
    assert kept_in(objects_settings) == [(f"sources/{asked.source.replace(':', '/')}", data)]
    assert (asked.inputs[0].is_required, asked.inputs[0].default_value) == (True, 3)
    assert asked.container_config == {"included_folders": ["src"]}


async def test_the_same_upload_is_the_same_command(http: httpx.AsyncClient, taken: Taken) -> None:
    data = archive()
    await upload(http, data)
    await upload(http, data)
    first, again = taken.sent
    assert first == again


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "invalid_archive"),
        (b"no archive", 422, "invalid_archive"),
        (archive()[:-20], 422, "invalid_archive"),
        (archive("../train.py"), 422, "unsafe_archive"),
        (archive("/train.py"), 422, "unsafe_archive"),
        (archive("l", content=b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"), 422, "unsafe_archive"),
        (archive("pipe", content=b"", type=tarfile.FIFOTYPE), 422, "unsafe_archive"),
        (archive(content=b"\0" * 1_100_000), 413, "archive_too_large"),
        (archive(*(f"f{number}" for number in range(21))), 413, "archive_too_large"),
        (gzip.compress(b"x", 0) + b"x" * 300_000, 413, "payload_too_large"),
    ],
    ids=["empty", "text", "cut", "parent", "root", "symlink", "device", "big-file", "many-files", "big-upload"],
)
async def test_a_bad_archive_is_refused_and_nothing_is_sent(
    http: httpx.AsyncClient, taken: Taken, objects_settings: ObjectsSettings, data: bytes, status: int, code: str
) -> None:
    answer = await upload(http, data)
    assert (answer.status_code, answer.json()["name"]) == (status, code)
    assert taken.sent == []
    assert kept_in(objects_settings) == []


async def test_bad_fields_are_refused_before_the_archive_is_looked_at(http: httpx.AsyncClient, taken: Taken) -> None:
    answer = await upload(http, b"no archive", {**FIELDS, "step_name": "a/b"})
    assert (answer.status_code, answer.json()["name"]) == (422, "invalid_name")
    assert taken.sent == []


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({f"f{number}": "x" for number in range(10_001)}, 422, "invalid_body"),
        ({"inputs" + "[a]" * 60: "x"}, 422, "invalid_body"),
        ({f"description{number}": "x" * 200_000 for number in range(6)}, 413, "payload_too_large"),
        ({"description": "x" * 1_048_577}, 413, "payload_too_large"),
    ],
    ids=["many keys", "deep brackets", "large together", "one large"],
)
async def test_a_huge_form_is_refused(
    http: httpx.AsyncClient, taken: Taken, fields: dict[str, str], status: int, code: str
) -> None:
    answer = await upload(http, archive(), {**FIELDS, **fields})
    assert (answer.status_code, answer.json()["name"]) == (status, code)
    assert taken.sent == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"no form"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx'),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b""),
    ],
)
async def test_a_broken_form_is_refused(http: httpx.AsyncClient, taken: Taken, content_type: str, body: bytes) -> None:
    answer = await http.post("/steps", content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["name"]) == (422, "invalid_body")
    assert taken.sent == []


async def test_a_file_in_another_field_is_refused(http: httpx.AsyncClient, taken: Taken) -> None:
    answer = await http.post("/steps", data=FIELDS, files={"code": ("code", archive())})
    assert (answer.status_code, answer.json()["name"]) == (422, "invalid_body")
    assert "step_file" in answer.json()["message"]
    assert taken.sent == []


async def test_two_files_are_refused(http: httpx.AsyncClient, taken: Taken) -> None:
    files = [("step_file", ("step_file", archive()))] * 2
    answer = await http.post("/steps", data=FIELDS, files=files)
    assert (answer.status_code, answer.json()["name"]) == (422, "invalid_body")


@pytest.mark.parametrize("path", ["/steps", "/pipelines"])
async def test_an_upload_that_stops_is_not_waited_for(http: httpx.AsyncClient, taken: Taken, path: str) -> None:
    async def stopping() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="step_file"; filename="f"\r\n\r\nx'
        await asyncio.Event().wait()

    answer = await asyncio.wait_for(
        http.post(path, content=stopping(), headers={"Content-Type": "multipart/form-data; boundary=b"}), 10
    )
    assert (answer.status_code, answer.json()["name"]) == (408, "request_timeout")
    assert taken.sent == []


async def test_only_uploads_may_be_large(http: httpx.AsyncClient) -> None:
    large = {**FIELDS, "description": "x" * 1_048_577}
    assert (await http.post("/steps", json=large)).status_code == 413
    assert (await http.post("/steps", data=large)).status_code == 413
    assert (await http.put("/steps/train", json=large)).status_code == 413


async def test_a_store_that_cannot_be_used_is_told_and_nothing_is_sent(
    http: httpx.AsyncClient, taken: Taken, objects_settings: ObjectsSettings
) -> None:
    break_store(objects_settings)
    answer = await upload(http, archive())
    assert (answer.status_code, answer.json()["name"]) == (503, "store_unavailable")
    assert "retry-after" in answer.headers
    assert taken.sent == []


@pytest.mark.parametrize("way", ["json", "form", "upload", "put"])
async def test_a_deploy_key_is_sealed_before_it_is_sent(
    http: httpx.AsyncClient, taken: Taken, sealer: Sealer, way: str
) -> None:
    # When
    json = {"step_name": "train", "function_path": "a.py", "function_name": "f"}
    json_config = {**json, "container_config": {"repository_deploy_key": KEY, "language": "x"}}
    form = {**FIELDS, "container_config[repository_deploy_key]": KEY, "container_config[language]": "x"}
    match way:
        case "json":
            await http.post("/steps", json=json_config)
        case "form":
            await http.post("/steps", data=form)
        case "upload":
            await upload(http, archive(), form)
        case _:
            await http.put("/steps/train", json={"container_config": json_config["container_config"]})
    # Then
    [asked] = taken.sent
    assert isinstance(asked, StepRequested | StepUpdateRequested)
    assert "secret" not in asked.model_dump_json()
    assert "repository_deploy_key" not in asked.container_config
    assert asked.container_config["language"] == "x"
    assert asked.sealed_deploy_key
    assert sealer.open(asked.sealed_deploy_key, context=deploy_key_context("lab", "train")) == KEY


@pytest.mark.parametrize("way", ["json", "put"])
async def test_a_repositorys_url_with_a_password_is_refused_before_it_is_sent(
    http: httpx.AsyncClient, taken: Taken, way: str
) -> None:
    config = {"container_config": {"repository_url": "https://ada:sesame@host/x.git"}}
    json = {"step_name": "train", "function_path": "a.py", "function_name": "f", **config}
    answer = await (http.post("/steps", json=json) if way == "json" else http.put("/steps/train", json=config))
    assert (answer.status_code, answer.json()["name"]) == (422, "secret_in_the_clear")
    assert "sesame" not in answer.text
    assert taken.sent == []


@pytest.mark.parametrize("way", ["json", "form", "multipart"])
async def test_an_archive_that_is_sent_as_text_is_refused(http: httpx.AsyncClient, taken: Taken, way: str) -> None:
    body = {**FIELDS, "step_file": "code.tgz"}
    match way:
        case "json":
            json = {"step_name": "train", "function_path": "a.py", "function_name": "f", "step_file": "code.tgz"}
            answer = await http.post("/steps", json=json)
        case "form":
            answer = await http.post("/steps", data=body)
        case _:
            answer = await http.post("/steps", files={name: (None, text) for name, text in body.items()})
    assert (answer.status_code, answer.json()["name"]) == (422, "invalid_body")
    assert "upload it as one" in answer.json()["message"]
    assert taken.sent == []


async def test_an_upload_with_a_repository_beside_it_is_refused(http: httpx.AsyncClient, taken: Taken) -> None:
    answer = await upload(http, archive(), {**FIELDS, "container_config[repository_url]": "https://github.com/a/b"})
    assert (answer.status_code, answer.json()["name"]) == (422, "invalid_body")
    assert taken.sent == []


async def test_more_uploads_than_there_are_places_for_are_told_to_come_again(
    http: httpx.AsyncClient, taken: Taken, sources: Sources
) -> None:
    # Given
    for _ in range(UPLOADS_AT_ONCE):
        await sources.places.acquire()
    # When
    shed = await upload(http, archive())
    sources.places.release()
    taken_in = await upload(http, archive())
    # Then
    assert (shed.status_code, shed.json()["name"]) == (503, "overloaded")
    assert "retry-after" in shed.headers
    assert taken_in.status_code == 202
    assert len(taken.sent) == 1


@pytest.mark.parametrize(
    "config",
    [
        {"repository_url": 5},
        {"repository_url": "x" * 4097},
        {"repository_url": "https://github.com/a/b\n"},
        {"repository_branch": ["main"]},
        {"included_folders": "src"},
        {"included_folders": ["a"] * 101},
        {"included_folders": ["a", 7]},
    ],
    ids=lambda config: str(config)[:40],
)
async def test_a_container_config_of_other_types_is_refused(
    http: httpx.AsyncClient, taken: Taken, config: dict[str, Any]
) -> None:
    json = {"step_name": "train", "function_path": "a.py", "function_name": "f", "container_config": config}
    answers = [
        await http.post("/steps", json=json),
        await http.put("/steps/train", json={"container_config": config}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["name"]) == (422, "invalid_body")
        assert next(iter(config)) in answer.json()["message"]
    assert taken.sent == []


async def test_what_only_we_may_say_of_a_step_is_not_taken_from_a_request(
    http: httpx.AsyncClient, taken: Taken
) -> None:
    body = {"step_name": "train", "function_path": "a.py", "function_name": "f", "container_config": {}}
    await http.post("/steps", json={**body, "source": f"sha256:{'0' * 64}", "sealed_deploy_key": "sealed:v1:a:b"})
    [asked] = taken.sent
    assert (asked.source, asked.sealed_deploy_key) == (None, None)


@pytest.mark.parametrize("key", [5, ["a"], {"a": 1}])
async def test_a_deploy_key_that_is_no_text_is_refused(http: httpx.AsyncClient, taken: Taken, key: object) -> None:
    body = {
        "step_name": "t",
        "function_path": "a",
        "function_name": "f",
        "container_config": {"repository_deploy_key": key},
    }
    answer = await http.post("/steps", json=body)
    assert (answer.status_code, answer.json()["name"]) == (422, "invalid_body")
    assert taken.sent == []


@pytest.mark.parametrize("files", [None, {"step_file": ("step_file", b"x" * 200_000)}])
async def test_a_pipeline_from_code_is_refused_with_what_to_do(
    http: httpx.AsyncClient, taken: Taken, files: dict[str, Any] | None
) -> None:
    answer = await http.post("/pipelines", data={"pipeline_name": "p", "function_path": "a.py"}, files=files)
    assert (answer.status_code, answer.json()["name"]) == (422, "stepless_pipeline")
    assert "create_step" in answer.json()["message"]
    assert taken.sent == []
