"""Repositories in folders of this machine, below the roots that the settings name. Read in place, never changed."""

import errno
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from dulwich.config import ConfigFile
from dulwich.object_store import DiskObjectStore
from dulwich.refs import DiskRefsContainer

from events.refusals import FailureCode
from services.builder.errors import Unbuildable
from services.builder.git import Source, commit_source, refuse_sha256, wanted
from services.builder.git_tree import stumbling_told
from services.builder.wording import quoted

MAX_LOOSE_OBJECT_BYTES = 64 * 1024 * 1024
# Any other error is our own trouble (the disk, open files), which passes.
FAULTS_OF_THE_REPOSITORY = frozenset(
    {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}
)


@contextmanager
def local_source(
    path: str, branch: str | None, roots: Sequence[Path], allowed: str, abandoned: threading.Event
) -> Iterator[Source]:
    """Open the repository at `path`, if that is below one of `roots` once links are resolved.

    dulwich's Repo is not used: it would follow the includes of the repository's configuration.
    """
    folder = _resolved(path)
    root = _root_of(folder, roots)
    if root is None:
        raise Unbuildable(FailureCode.SOURCE_NOT_ALLOWED, f"This repository_url is not allowed; use {allowed}.")
    try:
        control = _control_folder(folder, root)
        _demand_readable_format(control)
        refs = DiskRefsContainer(control)
        with closing(DiskObjectStore(control / "objects", loose_object_size_limit=MAX_LOOSE_OBJECT_BYTES)) as store:
            with stumbling_told():
                name = wanted(refs.as_dict(), branch)
            yield commit_source(store, name, abandoned)
    except OSError as error:
        if error.errno not in FAULTS_OF_THE_REPOSITORY:
            raise
        raise Unbuildable(
            FailureCode.SOURCE_UNREADABLE,
            f"The builder cannot read the repository {quoted(path)} ({error.strerror}); mend its files or "
            "their rights.",
        ) from error


def _resolved(path: str) -> Path:
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError):
        raise Unbuildable(
            FailureCode.REPOSITORY_NOT_FOUND, f"repository_url {quoted(path)} is no path that can be followed; mend it."
        ) from None


def _root_of(folder: Path, roots: Sequence[Path]) -> Path | None:
    return next((root for root in map(Path.resolve, roots) if folder.is_relative_to(root)), None)


def _control_folder(folder: Path, root: Path) -> Path:
    """Return the folder that holds the repository's refs and objects: `.git`, or a bare repository itself."""
    if not folder.is_dir():
        raise Unbuildable(
            FailureCode.REPOSITORY_NOT_FOUND, f"There is no folder {quoted(str(folder))}; mend repository_url."
        )
    link = folder / ".git"
    if link.is_file():
        raise Unbuildable(
            FailureCode.REPOSITORY_UNSUPPORTED,
            f"{quoted(str(folder))} is a linked work tree or a submodule; name the folder of its main repository.",
        )
    control = (link if link.is_dir() else folder).resolve()
    parts = (control, control / "objects", control / "refs")
    if not (all(part.is_dir() for part in parts) and (control / "HEAD").is_file()):
        raise Unbuildable(
            FailureCode.REPOSITORY_NOT_FOUND,
            f"{quoted(str(folder))} is not a git repository; run `git init` in it and commit the step's code.",
        )
    if not all(part.resolve().is_relative_to(root) for part in parts):
        raise Unbuildable(
            FailureCode.SOURCE_NOT_ALLOWED,
            f"The repository {quoted(str(folder))} keeps its data outside of {root}; keep it inside.",
        )
    return control


def _demand_readable_format(control: Path) -> None:
    if (control / "commondir").exists() or (control / "objects" / "info" / "alternates").exists():
        raise Unbuildable(
            FailureCode.REPOSITORY_UNSUPPORTED,
            "The repository borrows the objects of another one; run `git repack -a -d` in a clone of its own, "
            "made with `git clone --no-local`, and name that one.",
        )
    with stumbling_told():
        config = _config(control / "config")
        extensions = {name.lower(): value for name, value in config.items((b"extensions",))}
    if extensions.get(b"objectformat", b"sha1") != b"sha1":
        raise refuse_sha256()
    if extensions.get(b"refstorage", b"files") != b"files":
        raise Unbuildable(
            FailureCode.REPOSITORY_UNSUPPORTED,
            "The repository keeps its refs as a reftable, which cannot be read yet; "
            "run `git refs migrate --ref-format=files` in it.",
        )


def _config(path: Path) -> ConfigFile:
    if not path.is_file():
        return ConfigFile()
    return ConfigFile.from_path(path, expand_includes=False)
