import pytest

from events.refusals import FailureCode
from services.builder.errors import Unbuildable
from services.builder.requirements import check_requirements

GOOD = """\
# A comment, and an empty line

scikit-learn>=1.5  # why
pandas[parquet] == 2.*; python_version < "3.13"
numpy==2.1.0 \\
    --hash=sha256:abc \\
    --hash=sha256:def
my-package @ https://example.org/my.whl#sha256=abc
git+https://github.com/ada/churn@main
./local
wheels/one-1.0-py3-none-any.whl
-r other.txt
--index-url https://example.org/simple
-e .
"""
LOCKED = "numpy==2.1.0 " + " ".join(f"\\\n    --hash=sha256:{number:064x}" for number in range(100))


@pytest.mark.parametrize("content", [GOOD.encode(), b"", b"\xef\xbb\xbfnumpy\r\npandas\r\n", b"numpy", LOCKED.encode()])
def test_what_pip_reads_is_accepted(content: bytes) -> None:
    check_requirements(content, "requirements.txt")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"numpy\npandas=1.0\n", "line 2: 'pandas=1.0' is no requirement"),
        (b"not a requirement", "line 1"),
        (b"import numpy\n", "line 1"),
        (b"\n\nnumpy >= \n", "line 3"),
        (b"numpy \\\n  =1\n", "line 1"),
        (b"numpy\xff", "no text in UTF-8"),
        (b"a; " + b"(" * 4000, "line 1"),
        (b"numpy\n" + b"a.whl[" * 100_000, "line 2 is longer than 4096 characters"),
        (b"numpy=" + LOCKED.encode(), "line 1: 'numpy=numpy==2.1.0"),
    ],
)
def test_the_line_that_is_no_requirement_is_named(content: bytes, told: str) -> None:
    with pytest.raises(Unbuildable, match=told) as refused:
        check_requirements(content, "requirements.txt")
    assert refused.value.code is FailureCode.INVALID_REQUIREMENTS
