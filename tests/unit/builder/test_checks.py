from typing import Any

import pytest

from services.builder.checks import check_step
from services.builder.errors import Unbuildable
from services.builder.tree import MAX_FILE_BYTES, Kind

ACCEPTED = {
    "a parameter for each input": "def train(rows): ...",
    "an asynchronous function": "async def train(rows): ...",
    "more parameters with defaults": "def train(rows, rate=0.1, *, seed=1): ...",
    "a keyword-only parameter": "def train(*, rows): ...",
    "keyword arguments": "def train(**inputs): ...",
    "any positional and keyword arguments": "def train(*args, **kwargs): ...",
    "a definition under a condition": "import os\nif os.name:\n    def train(rows): ...\n",
    "a definition in a fallback": "try:\n    import fast\nexcept ImportError:\n    def train(rows): ...\n",
    "a decorator that may change the parameters": "@with_session\ndef train(session, data): ...",
    "the last of two definitions": "def train(): ...\ndef train(rows): ...\n",
    "a byte order mark and an invalid escape": b"\xef\xbb\xbfPATTERN = '\\d'\ndef train(rows): ...\n",
    "another encoding that the file declares": "# coding: latin-1\nNAME = '\xe9'\ndef train(rows): ...\n".encode(
        "latin-1"
    ),
}


@pytest.mark.parametrize("source", ACCEPTED.values(), ids=ACCEPTED)
def test_a_function_that_takes_the_declared_inputs_is_accepted(make_step: Any, make_tree: Any, source: str) -> None:
    check_step(make_step(), make_tree({"src/train.py": source}))


REFUSED_FUNCTIONS = {
    "no such function": ("def fit(rows): ...", "does not define a function 'train' .*it defines 'fit'"),
    "no function at all": ("train = 1", "it defines no function"),
    "a method only": ("class A:\n    def train(self, rows): ...", "does not define a function 'train'"),
    "a nested function only": ("def a():\n    def train(rows): ...", "does not define a function 'train'"),
    "an input that it does not take": ("def train(): ...", "does not take the declared input 'rows' by name"),
    "a parameter that no input feeds": ("def train(rows, rate): ...", "requires the parameter 'rate'"),
    "a keyword-only one that no input feeds": ("def train(rows, *, rate): ...", "requires the parameter 'rate'"),
    "two that no input feeds": ("def train(rows, a, b): ...", "requires the parameters 'a' and 'b'"),
    "a positional-only one": ("def train(rows, /): ...", "does not take the declared input 'rows' by name"),
    "a positional-only one beside keywords": ("def train(rows, /, **more): ...", "requires the parameter 'rows'"),
    "broken syntax": ("def train(rows):\nreturn", r"is not valid Python 3\.\d+: .* \(line 2\)"),
    "null bytes": (b"def train(rows): ...\0", "null bytes"),
    "an unknown encoding": (b"# coding: klingon\n", "is not valid Python"),
    "text that is not UTF-8": (b"NAME = '\xe9'\n", "is not valid Python"),
    "too deep nesting": ("x = " + "-" * 100_000 + "1", "nested too deeply"),
    "too long a chain": ("x = a" + ".a" * 100_000, "nested too deeply"),
    "too large a file": ("#" * (MAX_FILE_BYTES + 1), "larger than 1024 KiB"),
}


@pytest.mark.parametrize(("source", "reason"), REFUSED_FUNCTIONS.values(), ids=REFUSED_FUNCTIONS)
def test_the_reason_tells_what_to_mend_in_the_function(
    make_step: Any, make_tree: Any, source: str, reason: str
) -> None:
    with pytest.raises(Unbuildable, match=reason):
        check_step(make_step(), make_tree({"src/train.py": source}))


def test_a_file_of_exactly_the_limit_is_read(make_step: Any, make_tree: Any) -> None:
    source = "def train(rows): ...\n"
    check_step(make_step(), make_tree({"src/train.py": source + "#" * (MAX_FILE_BYTES - len(source))}))


@pytest.mark.parametrize("path", ["/src/train.py", "../train.py", "src/../../train.py", ""])
def test_a_function_path_that_leads_out_of_the_repository_is_refused(make_step: Any, make_tree: Any, path: str) -> None:
    # Given a tree in which any path would be found
    tree = make_tree({"src/train.py": "def train(rows): ...", path: "def train(rows): ..."})
    # When, then
    with pytest.raises(Unbuildable, match="relative to the root of the repository"):
        check_step(make_step().model_copy(update={"function_path": path}), tree)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(Kind.LINK, "a symbolic link"), (Kind.SUBMODULE, "a submodule"), (Kind.FOLDER, "a folder")],
)
def test_what_is_not_a_regular_file_is_not_followed(make_step: Any, make_tree: Any, kind: Kind, reason: str) -> None:
    with pytest.raises(Unbuildable, match=f"is {reason} in the repository; name a regular file"):
        check_step(make_step(function_path="train"), make_tree({}, train=kind))


CONFIGURED = {
    "requirements": {"requirements_path": "requirements.txt"},
    "folders and files": {"included_folders": ["src", "src/train.py", "data/"]},
    "the root, as a slash": {"included_folders": ["/"]},
    "from the root": {"included_folders": ["/src"]},
    "null": {"requirements_path": None, "included_folders": None},
    "null as a form sends it": {"requirements_path": "", "included_folders": ""},
    "what the checks do not know": {"language": "python:3.11-slim", "system_dependencies": ["git"]},
}
FILES = {"src/train.py": "def train(rows): ...", "requirements.txt": "numpy\n", "data/a.csv": "1\n"}


@pytest.mark.parametrize("config", CONFIGURED.values(), ids=CONFIGURED)
def test_files_that_the_configuration_names_and_that_exist_are_accepted(
    make_step: Any, make_tree: Any, config: dict[str, Any]
) -> None:
    check_step(make_step(container_config=config), make_tree(FILES))


MISCONFIGURED = {
    "missing requirements": ({"requirements_path": "req.txt"}, "requirements_path 'req.txt' does not exist"),
    "requirements that are a folder": ({"requirements_path": "src"}, "requirements_path 'src' is a folder"),
    "requirements outside": ({"requirements_path": "../requirements.txt"}, "requirements_path is '../req"),
    "requirements that are no text": ({"requirements_path": 1}, "requirements_path must be text"),
    "a missing folder": ({"included_folders": ["src", "lib"]}, "included_folders names 'lib'"),
    "a folder outside": ({"included_folders": ["../src"]}, r"included_folders is '\.\./src'"),
    "one text for folders": ({"included_folders": "src"}, "must be a list of paths"),
    "more folders than anybody names": ({"included_folders": ["src"] * 101}, "101 paths, and may have 100"),
    "folders that are no text": ({"included_folders": [1]}, "must be a list of paths"),
}


@pytest.mark.parametrize(("config", "reason"), MISCONFIGURED.values(), ids=MISCONFIGURED)
def test_the_reason_tells_what_to_mend_in_the_configuration(
    make_step: Any, make_tree: Any, config: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Unbuildable, match=reason):
        check_step(make_step(container_config=config), make_tree(FILES))


def test_a_missing_file_is_told_with_what_could_be_wrong(make_step: Any, make_tree: Any) -> None:
    with pytest.raises(Unbuildable, match=r"'src/train\.py' does not exist .* commit or include the file"):
        check_step(make_step(), make_tree({"train.py": "def train(rows): ..."}))


def test_a_reason_stays_short_and_printable_whatever_the_user_wrote(make_step: Any, make_tree: Any) -> None:
    with pytest.raises(Unbuildable) as caught:
        check_step(make_step(function_path="a\n\x1b[31m" + "b" * 4000), make_tree({}))
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()


GOOD = "def train(rows): ..."
CODES = [
    ({}, {}, "file_not_found"),
    ({"src/train.py": "def ("}, {}, "invalid_code"),
    ({"src/train.py": "#" * (MAX_FILE_BYTES + 1)}, {}, "file_too_large"),
    ({"src/train.py": "train = 1"}, {}, "function_not_found"),
    ({"src/train.py": "def train(): ..."}, {}, "parameters_mismatch"),
    ({"src/train.py": GOOD}, {"requirements_path": "../r.txt"}, "invalid_path"),
    ({"src/train.py": GOOD}, {"requirements_path": "r.txt"}, "file_not_found"),
    ({"src/train.py": GOOD, "r.txt": "a b c"}, {"requirements_path": "r.txt"}, "invalid_requirements"),
    ({"src/train.py": GOOD}, {"included_folders": ["no"]}, "folder_not_found"),
    ({"src/train.py": GOOD}, {"included_folders": "src"}, "invalid_path"),
]


@pytest.mark.parametrize(("files", "config", "code"), CODES)
def test_each_failure_has_a_stable_code(
    make_step: Any, make_tree: Any, files: dict[str, str], config: dict[str, Any], code: str
) -> None:
    with pytest.raises(Unbuildable) as refused:
        check_step(make_step(container_config=config), make_tree(files))
    assert refused.value.code == code
