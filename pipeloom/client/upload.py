"""A step's code from a folder: packed the same way each time, and sent as a form with bracketed keys."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

JSON_TYPES = {"number", "boolean", "array", "json"}
LEFT_OUT = {".git", "__pycache__"}


def packed(folder: Path) -> bytes:
    """Return the files of a folder as a gzip tar. The same files give the same bytes, so that a repeat is a repeat.

    Raises NotADirectoryError when it is no folder. Links stay links; what is neither file, folder nor link stays out.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"'{folder}' is not a folder; local_folder names the folder with the step's code")
    tarball = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=tarball, mode="wb", filename="", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in [folder, *sorted(folder.rglob("*"))]:
            archive.inodes.clear()  # type: ignore[attr-defined] # else a file's second name is packed as a link
            archive.add(path, arcname=f"./{path.relative_to(folder)}", recursive=False, filter=_plain)
    return tarball.getvalue()


def form_fields(step: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a step's form. A default value that is no text travels as JSON and keeps its type."""
    inputs = [_with_default_as_text(each) for each in step.get("inputs") or ()]
    return dict(bracketed({**step, "inputs": inputs}))


def bracketed(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield the fields of a form: `inputs[0][name]` and so on. Empty lists and objects have none, null is empty."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from bracketed(inner, f"{key}[{name}]" if key else name)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from bracketed(inner, f"{key}[{number}]")
    else:
        yield key, "" if value is None else str(value)


def _with_default_as_text(given: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in given.items() if name != "default_value"}
    value = given.get("default_value")
    if value is None:
        return told
    is_text = isinstance(value, str) and given.get("data_type") not in JSON_TYPES
    return {**told, "default_value": value if is_text else json.dumps(value)}


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    is_plain = member.isfile() or member.isdir() or member.issym()
    if not is_plain or LEFT_OUT.intersection(Path(member.name).parts):
        return None
    member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
    return member
