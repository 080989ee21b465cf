"""A step's code from a folder: packed the same way each time, and sent as a form with bracketed keys."""

import gzip
import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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
        archive.add(folder, arcname=".", filter=_plain)
    return tarball.getvalue()


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


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if LEFT_OUT.intersection(Path(member.name).parts) or not (member.isfile() or member.isdir() or member.issym()):
        return None
    member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
    return member
