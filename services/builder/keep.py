"""Packs the files of a source into an archive that is the same for the same files, and keeps it."""

import gzip
import io
import tarfile
import threading
from pathlib import Path
from typing import IO

from events.refusals import FailureCode
from services.builder.errors import Unbuildable, Unreachable
from services.builder.tree import Entry, Kind, Tree
from services.builder.workdir import build_folder
from services.kit.archives import Limits, stays_inside
from services.kit.objects import ObjectStore


def keep_tree(tree: Tree, objects: ObjectStore, limits: Limits, work_dir: Path, abandoned: threading.Event) -> str:
    """Keep the files of `tree` and return the name of their archive. Links that lead out of it are left out."""
    with build_folder(work_dir) as folder, (folder / "kept.tgz").open("w+b") as file:
        _pack(tree, file, limits, abandoned)
        return objects.put(file)


def _pack(tree: Tree, file: IO[bytes], limits: Limits, abandoned: threading.Event) -> None:
    left = limits.unpacked_bytes
    # Neither the time nor a name goes into it.
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w:", format=tarfile.PAX_FORMAT) as tar,
    ):
        for number, entry in enumerate(tree.entries()):
            if abandoned.is_set():
                raise Unreachable("nobody waits for the build any more")
            left -= len(entry.content)
            if left < 0 or number >= limits.members:
                raise Unbuildable(
                    FailureCode.SOURCE_TOO_LARGE,
                    f"The source has more than {limits.members} files, or more than "
                    f"{limits.unpacked_bytes // 1024**2} MiB of them; keep data and models out of the repository.",
                )
            _add(tar, entry)


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    member = tarfile.TarInfo(str(entry.path))
    if entry.kind is Kind.LINK:
        target = entry.content.decode(errors="surrogateescape")
        if stays_inside(target, entry.path.parent):
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
        return
    member.size = len(entry.content)
    member.mode = 0o755 if entry.is_executable else 0o644
    tar.addfile(member, io.BytesIO(entry.content))
