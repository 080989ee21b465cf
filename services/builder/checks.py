"""The checks that a step's source must pass. They read it and run none of it."""

from pathlib import PurePosixPath

from pydantic import JsonValue

from events.declarations import MAX_ENTRIES
from events.refusals import FailureCode
from events.resources import Step
from services.builder.errors import Unbuildable
from services.builder.function import check_function, parse
from services.builder.requirements import check_requirements
from services.builder.tree import MAX_FILE_BYTES, Kind, TooLarge, Tree
from services.builder.wording import quoted


def check_step(step: Step, tree: Tree) -> None:
    """Raise Unbuildable with what to mend first, unless `tree` holds everything that `step` names."""
    path = repository_path(step.function_path, "function_path")
    source = _content(tree, path, "function_path")
    check_function(parse(source, str(path)), step, str(path))
    _check_requirements(tree, step.container_config.get("requirements_path"))
    _check_included(tree, step.container_config.get("included_folders"))


def repository_path(text: str, field: str) -> PurePosixPath:
    """Return the path that `text` means inside a repository. Raises Unbuildable when it leads out of one."""
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not text:
        raise Unbuildable(
            FailureCode.INVALID_PATH,
            f"{field} is {quoted(text)}; give it as a path relative to the root of the repository, without '..'.",
        )
    return path


def _content(tree: Tree, path: PurePosixPath, field: str) -> bytes:
    _demand_file(tree, path, field)
    try:
        content = tree.read(path)
    except TooLarge:
        raise Unbuildable(
            FailureCode.FILE_TOO_LARGE,
            f"{field} {quoted(str(path))} is larger than {MAX_FILE_BYTES // 1024} KiB; name a smaller file.",
        ) from None
    return content or b""


def _demand_file(tree: Tree, path: PurePosixPath, field: str) -> None:
    kind = tree.kind(path)
    if kind is None:
        raise Unbuildable(
            FailureCode.FILE_NOT_FOUND,
            f"{field} {quoted(str(path))} does not exist in the repository or the uploaded folder; "
            f"commit or include the file, or mend {field} or repository_branch.",
        )
    if kind is not Kind.FILE:
        raise Unbuildable(
            FailureCode.FILE_NOT_FOUND,
            f"{field} {quoted(str(path))} is {kind.value} in the repository; name a regular file.",
        )


def _check_requirements(tree: Tree, value: JsonValue) -> None:
    # Forms send null as the empty text.
    if value is None or value == "":
        return
    if not isinstance(value, str):
        raise Unbuildable(
            FailureCode.INVALID_PATH,
            "container_config.requirements_path must be text: the path of a file in the repository.",
        )
    path = repository_path(value, "requirements_path")
    check_requirements(_content(tree, path, "requirements_path"), str(path))


def _check_included(tree: Tree, value: JsonValue) -> None:
    if value is None or value == "":
        return
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise Unbuildable(
            FailureCode.INVALID_PATH, "container_config.included_folders must be a list of paths in the repository."
        )
    if len(value) > MAX_ENTRIES:
        raise Unbuildable(
            FailureCode.INVALID_PATH,
            f"container_config.included_folders has {len(value)} paths, and may have {MAX_ENTRIES}; name folders above "
            "them.",
        )
    for entry in value:
        # The root is written "/" by convention, so a leading slash means the repository's root here.
        path = repository_path(str(entry).lstrip("/") or ".", "included_folders")
        if tree.kind(path) not in {Kind.FILE, Kind.FOLDER}:
            raise Unbuildable(
                FailureCode.FOLDER_NOT_FOUND,
                f"included_folders names {quoted(str(entry))}, which is no folder or file in the repository or the "
                "uploaded folder; add it there or take it out.",
            )
