"""Reads a form with a file in it: the file goes to disk while it arrives, the fields are bounded as any other body."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from events.refusals import Code, Refused
from services.command.forms import MAX_FIELDS
from services.kit.web import MAX_BODY_BYTES

ARCHIVE = "step_file"


class _Parser(MultiPartParser):
    """Bounds the bytes of all fields together; the library bounds each of them."""

    _field_bytes = 0

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._current_part.file is None:
            self._field_bytes += end - start
            if self._field_bytes > MAX_BODY_BYTES:
                raise Refused(
                    Code.PAYLOAD_TOO_LARGE,
                    f"The form's fields are larger than {MAX_BODY_BYTES} bytes together; only the file may be.",
                    limit=MAX_BODY_BYTES,
                )
        super().on_part_data(data, start, end)


@asynccontextmanager
async def read_upload(request: Request, max_bytes: int) -> AsyncIterator[tuple[bytes, UploadFile | None]]:
    """Give a multipart form: its fields as an urlencoded form has them, and the file for the length of the block.

    Raises Refused: invalid_body or payload_too_large.
    """
    form = await _parsed(request)
    try:
        archive = _archive(form)
        if archive is not None and (archive.size or 0) > max_bytes:
            raise Refused(
                Code.PAYLOAD_TOO_LARGE,
                f"The uploaded archive is larger than {max_bytes} bytes; keep data and models out of it.",
                limit=max_bytes,
            )
        fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        yield urlencode(fields, errors="surrogatepass").encode(), archive
    finally:
        await form.close()


async def _parsed(request: Request) -> FormData:
    parser = _Parser(
        request.headers, request.stream(), max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_BODY_BYTES
    )
    try:
        return await parser.parse()
    except (MultiPartException, UnicodeDecodeError) as error:
        raise Refused(Code.INVALID_BODY, f"The form cannot be read: {error}") from error


def _archive(form: FormData) -> UploadFile | None:
    files = [(name, value) for name, value in form.multi_items() if isinstance(value, UploadFile)]
    for name, _ in files:
        if name != ARCHIVE:
            raise Refused(Code.INVALID_BODY, f"The form has a file in another field; upload one file, as {ARCHIVE}.")
    return files[0][1] if files else None
