"""The code of the demo's step, in a git repository of its own."""

import shutil
from pathlib import Path

from dulwich import porcelain
from dulwich.refs import Ref

from pipeloom.client.requests import Document

BRANCH = "main"
FUNCTION_PATH = "src/churn.py"
FUNCTION_NAME = "predict_churn"
INPUTS: list[Document] = [
    {"name": "months", "data_type": "number", "description": "Months as a customer", "is_required": True},
    {"name": "plan", "data_type": "string", "description": "The customer's plan", "default_value": "basic"},
]
OUTPUTS: list[Document] = [{"name": "risk", "data_type": "number", "description": "From 0 (stays) to 1 (leaves)"}]

_CODE = '''"""Tells how likely a customer is to leave."""


def predict_churn(months: float, plan: str) -> dict[str, float]:
    """Return the risk, which falls with the months and is lower on a paid plan."""
    risk = 1 / (1 + months / 12)
    return {"risk": risk if plan == "basic" else risk / 2}
'''
_AUTHOR = b"Pipeloom demo <demo@pipeloom.invalid>"


def make_repository(folder: Path) -> str:
    """Make `folder` a fresh git repository with the step's code; return the id of its commit."""
    shutil.rmtree(folder, ignore_errors=True)
    code = folder / FUNCTION_PATH
    code.parent.mkdir(parents=True)
    code.write_text(_CODE)
    with porcelain.init(str(folder)) as repository:
        repository.refs.set_symbolic_ref(Ref(b"HEAD"), Ref(f"refs/heads/{BRANCH}".encode()))
        porcelain.add(repository, [str(code)])
        commit = porcelain.commit(repository, message=b"Predict churn", author=_AUTHOR, committer=_AUTHOR)
    return commit.decode()
