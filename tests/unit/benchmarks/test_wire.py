"""The bytes of requests."""

import json

from benchmarks.wire import NAME, Template, numbered


def joined(template: Template, name: str) -> bytes:
    return name.encode().join(template.pieces(len(name)))


def test_a_request_names_the_resource_in_its_path() -> None:
    # When
    request = joined(Template("GET", f"/pipelines/{NAME}", None, {"Authorization": "Bearer t"}), "churn")
    # Then
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.splitlines()[0] == b"GET /pipelines/churn HTTP/1.1"
    assert b"Authorization: Bearer t" in head.splitlines()
    assert body == b""


def test_the_declared_length_is_that_of_the_body_with_the_name_in_it() -> None:
    # Given
    template = Template("POST", "/pipelines", {"pipeline_name": NAME, "tags": [NAME, "é"]})
    # When
    request = joined(template, "a-rather-long-name")
    # Then
    head, _, body = request.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head.splitlines()
    assert json.loads(body) == {"pipeline_name": "a-rather-long-name", "tags": ["a-rather-long-name", "é"]}


def test_a_request_without_a_body_declares_none() -> None:
    assert b"Content-Length" not in joined(Template("DELETE", f"/{NAME}"), "churn")


def test_numbered_names_have_one_length_and_their_order() -> None:
    # Given
    names = [numbered("n", number) for number in (0, 9, 10, 1_000_000)]
    # Then
    assert len({len(name) for name in names}) == 1
    assert names == sorted(names)
