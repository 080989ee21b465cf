"""The code of a step, in a git repository of its own.

A step is a function in a git repository. The builder fetches the repository, records the commit, and checks that the
function is there and takes the declared inputs; it never runs the code. Here the repository is a folder, and
`pipeloom up` lets the builder read folders below the one that it was started in. Elsewhere it is an https address on
an allowed host.

The other examples import `step_repository`. As a program it makes a repository that stays, and prints where it is:

    .venv/bin/python examples/step_repository.py
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dulwich import porcelain

FUNCTION_PATH = "src/churn.py"
FUNCTION_NAME = "predict"
FILES = {
    FUNCTION_PATH: '''"""Tells how likely a customer is to leave."""


def predict(months, plan="basic"):
    """Return the risk, from 0 (stays) to 1 (leaves)."""
    return {"risk": 1 / (1 + months / (12 if plan == "basic" else 6))}
'''
}
INPUTS: list[dict[str, Any]] = [
    {"name": "months", "data_type": "number", "is_required": True, "description": "Months as a customer"},
    {"name": "plan", "data_type": "string", "default_value": "basic"},
]
OUTPUTS: list[dict[str, Any]] = [{"name": "risk", "data_type": "number"}]

_AUTHOR = b"An example <example@pipeloom.invalid>"


@contextmanager
def step_repository(files: Mapping[str, str] = FILES) -> Iterator[Path]:
    """Give a git repository with one commit of these files, for the length of the block."""
    with tempfile.TemporaryDirectory(dir=_examples_folder(), prefix="step-") as folder:
        make_repository(Path(folder), files)
        yield Path(folder)


def make_repository(folder: Path, files: Mapping[str, str]) -> None:
    """Make a folder a git repository with one commit; dulwich is git in Python, so no git program is needed."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    porcelain.init(str(folder)).close()
    porcelain.add(str(folder), [str(folder / name) for name in files])
    porcelain.commit(str(folder), message=b"The code of a step", author=_AUTHOR, committer=_AUTHOR)


def _examples_folder() -> Path:
    """Return where the repositories go: below the folder that `pipeloom up` was started in, which is this one."""
    folder = Path(".pipeloom", "examples").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    made = Path(tempfile.mkdtemp(dir=_examples_folder(), prefix="step-"))
    make_repository(made, FILES)
    print(made)
