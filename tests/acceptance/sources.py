"""The code of steps, in a git repository that the builder may read."""

from pathlib import Path

from dulwich import porcelain

ADA = b"Ada <ada@example.org>"
FUNCTION_PATH = "src/churn.py"
CODE = """
def predict(months, plan="basic", strict=False, weights=None):
    return {"risk": 0.5}


def predict_widely(months, plan, strict, weights, photo):
    return {"risk": 0.5, "why": {}, "report": {"path": "report.pdf"}}


def constant():
    return {}
"""


def make_repository(folder: Path) -> str:
    """Make `folder` a git repository with the functions of the tests' steps; return the id of its commit."""
    code = folder / FUNCTION_PATH
    code.parent.mkdir(parents=True)
    code.write_text(CODE)
    porcelain.init(str(folder)).close()
    porcelain.add(str(folder), [str(code)])
    return porcelain.commit(str(folder), message=b"Steps", author=ADA, committer=ADA).decode()
