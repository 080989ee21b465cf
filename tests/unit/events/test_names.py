"""What may be called how."""

from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from events.names import MAX_NAME_LENGTH, Name, is_environment_id, why_unaddressable

NAME = TypeAdapter(Name)

EMPTY = "it is empty or blank"
LONG = "it is longer than 255 characters"
DOTS = "it consists of dots only"
SYNTAX = "it contains one of / ? # %"
CONTROL = "it contains a control character"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", EMPTY),
        (" ", EMPTY),
        ("\t\n", EMPTY),
        ("\u00a0\u3000", EMPTY),
        ("a" * 256, LONG),
        ("😀" * 256, LONG),
        (".", DOTS),
        ("..", DOTS),
        ("." * 255, DOTS),
        ("a/b", SYNTAX),
        ("a?", SYNTAX),
        ("#a", SYNTAX),
        ("100%", SYNTAX),
        ("a\x00b", CONTROL),
        ("a\nb", CONTROL),
        ("a\x7f", CONTROL),
        ("a\x85", CONTROL),
        ("a\u2028b", CONTROL),
        ("a\u2029b", CONTROL),
        ("a\ud800", CONTROL),
    ],
)
def test_a_name_that_no_url_can_carry_is_refused_with_its_reason(name: str, reason: str) -> None:
    assert why_unaddressable(name) == reason


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "a" * MAX_NAME_LENGTH,
        "😀" * MAX_NAME_LENGTH,
        "my pipeline",
        " a ",
        "..a",
        "a..",
        ". .",
        "Ünïcode",
        "模型",
        "a;b&c=d+e@f:g~h",
        "a\\b|c\"d'e<f>[g]{h}",
    ],
)
def test_a_name_that_a_url_can_carry_is_accepted_as_it_stands(name: str) -> None:
    assert NAME.validate_python(name) == name


def test_a_refused_name_says_why() -> None:
    with pytest.raises(ValidationError) as caught:
        NAME.validate_python("a/b")
    (problem,) = caught.value.errors()
    assert (problem["type"], problem["msg"]) == ("invalid_name", f"the name cannot be used: {SYNTAX}")


@settings(derandomize=True, deadline=None)
@given(st.text(min_size=1, max_size=MAX_NAME_LENGTH).filter(lambda name: why_unaddressable(name) is None))
def test_an_accepted_name_is_one_segment_of_a_url_path(name: str) -> None:
    *folders, segment = urlsplit(f"http://host/pipelines/{quote(name, safe='')}").path.split("/")
    assert (folders, unquote(segment)) == (["", "pipelines"], name)


@settings(derandomize=True, deadline=None)
@given(st.text(st.characters(categories=["Cc", "Cs", "Zl", "Zp"]) | st.sampled_from("/?#%"), min_size=1, max_size=1))
def test_one_bad_character_anywhere_is_enough(character: str) -> None:
    for name in (f"{character}ab", f"a{character}b", f"ab{character}"):
        assert why_unaddressable(name) is not None


@pytest.mark.parametrize("text", ["a", "0", "a-b", "a--b", "0a", "a" * 63])
def test_an_environment_id_is_accepted(text: str) -> None:
    assert is_environment_id(text)


@pytest.mark.parametrize("text", ["", "-", "-a", "a-", "A", "a_b", "a.b", "a b", "ä", "a\n", "a" * 64, "٣"])
def test_what_is_no_environment_id_is_refused(text: str) -> None:
    assert not is_environment_id(text)
