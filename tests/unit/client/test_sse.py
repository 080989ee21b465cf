"""Reading Server-Sent Events."""

import pytest

from pipeloom.client.sse import Message, Parser

STREAM = (
    "id: 1\nretry: 250\n\n"
    ": a comment\n\n"
    'event: StepReady\ndata: {"text": "é\u2028😀\x85"}\nid: 2\n\n'
    "data:one\ndata: two\n\n"
    "event: nothing\n\n"
    "id: 3\r\ndata: windows\r\n\r\n"
    "unknown: field\ndata\n\n"
    "retry: soon\nid: no\0body\n\n"
    "data: incomplete\nid: 4\n"
).encode()
MESSAGES = [
    Message("StepReady", '{"text": "é\u2028😀\x85"}'),
    Message("message", "one\ntwo"),
    Message("message", "windows"),
    Message("message", ""),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_stream_is_read_in_pieces_of_any_size(size: int) -> None:
    parser = Parser()
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert [message for piece in pieces for message in parser.feed(piece)] == MESSAGES
    assert (parser.last_id, parser.retry_s) == ("3", 0.25)


def test_what_a_broken_stream_left_half_said_is_forgotten() -> None:
    parser = Parser()
    list(parser.feed(b"id: 1\n\nevent: Half\ndata: half\nid: 2\ndat"))
    parser.restart()
    assert list(parser.feed(b"data: whole\n\n")) == [Message("message", "whole")]
    assert parser.last_id == "1"
