"""Forms: bracketed keys, and the types that text lost on its way (sdk-contract 5.1)."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.codec import decode_data
from events.commands import StepRequested
from events.refusals import Code, Refused
from services.command.forms import MAX_DEPTH, MAX_FIELDS, MAX_LIST, read_form, step_of_form
from services.command.submit import validated

IN_A_STEP = {"step_name": "s", "function_path": "a.py", "function_name": "f"}


def step(body: str) -> dict[str, Any]:
    return step_of_form(read_form(body.encode()))


def default_of(data_type: str, text: str) -> Any:
    (each,) = step(f"inputs[0][data_type]={data_type}&inputs[0][default_value]={quote(text)}")["inputs"]
    return each["default_value"]


def refused_code(body: bytes) -> Code:
    with pytest.raises(Refused) as caught:
        read_form(body)
    assert caught.value.message.startswith("The form cannot be read: ")
    return caught.value.code


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", {}),
        (b"&&", {}),
        (b"a=1", {"a": "1"}),
        (b"a", {"a": ""}),
        (b"a=", {"a": ""}),
        (b"a=b+c%20d", {"a": "b c d"}),
        (b"a=1&a=2", {"a": ["1", "2"]}),
        (b"a[b][c]=1", {"a": {"b": {"c": "1"}}}),
        (b"a%5Bb%5D=1", {"a": {"b": "1"}}),
        (b"a[]=1&a[]=2", {"a": ["1", "2"]}),
        (b"a.b=1", {"a.b": "1"}),
        (b"a=1,2", {"a": "1,2"}),
        (b"a=%F0%9F%98%80", {"a": "😀"}),
        ("a=😀".encode(), {"a": "😀"}),
        (b"a[hasOwnProperty]=1&__proto__=2", {"a": {"hasOwnProperty": "1"}, "__proto__": "2"}),
    ],
)
def test_bracketed_keys_become_objects_and_lists(body: bytes, fields: dict[str, Any]) -> None:
    assert read_form(body) == fields


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 5, 900), (5, 0, 3)], ids=str)
def test_a_list_keeps_the_order_of_its_indexes_whatever_they_are(order: tuple[int, ...]) -> None:
    body = "&".join(f"inputs[{index}][name]=i{index}" for index in order)
    assert [each["name"] for each in step(body)["inputs"]] == [f"i{index}" for index in sorted(order)]


def test_a_list_in_an_object_with_other_keys_is_still_a_list() -> None:
    assert step("inputs[0][name]=a&inputs[x][name]=b")["inputs"] == [{"name": "a"}, {"name": "b"}]


def test_up_to_the_limits_a_form_is_read() -> None:
    assert len(read_form(b"&".join(b"a%d=1" % number for number in range(MAX_FIELDS)))) == MAX_FIELDS
    assert len(read_form(b"&".join(b"a[%d]=1" % number for number in range(MAX_LIST)))["a"]) == MAX_LIST
    assert read_form(b"a" + b"[b]" * MAX_DEPTH + b"=1")


@pytest.mark.parametrize(
    "body",
    [
        b"&".join(b"a%d=1" % number for number in range(MAX_FIELDS + 1)),
        b"&".join(b"a[%d]=1" % number for number in range(MAX_LIST + 1)),
        b"&".join([b"a[]=1"] * (MAX_LIST + 1)),
        b"a[99999999999]=1&a[0]=1",
        b"a" + b"[b]" * (MAX_DEPTH + 1) + b"=1",
        b"a=\xff",
    ],
    ids=["fields", "list", "unnumbered list", "index", "depth", "not utf-8"],
)
def test_beyond_the_limits_a_form_is_refused(body: bytes) -> None:
    assert refused_code(body) is Code.INVALID_BODY


PIECES = (
    r"inputs outputs description container_config \[0\] \[1\] \[\] \[ \] \[name\] \[data_type\] \[default_value\] "
    r"\[is_required\] \[-1\] \[99999\] = & \. a number json 1e999 % %5B %ED%A0%80 %ff %00"
).replace(" ", "|")


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.from_regex(f"({PIECES}){{0,14}}", fullmatch=True))
def test_no_form_whatever_breaks_the_reader(text: str) -> None:
    try:
        fields = {**step(text), **IN_A_STEP}
        data: StepRequested | None = validated(StepRequested, fields)
    except Refused:
        data = None
    assert data is None or StepRequested.model_validate_json(data.model_dump_json()) == data


@pytest.mark.parametrize(("text", "value"), [("True", True), ("False", False), ("true", True), ("false", False)])
def test_a_boolean_is_a_boolean_again(text: str, value: bool) -> None:
    (each,) = step(f"inputs[0][is_required]={text}&inputs[0][data_type]=boolean&inputs[0][default_value]={text}")[
        "inputs"
    ]
    assert (each["is_required"], each["default_value"]) == (value, value)


@pytest.mark.parametrize("text", ["yes", "1", "TRUE", ""])
def test_a_text_that_is_no_boolean_is_refused_later_by_its_field(text: str) -> None:
    fields = step(f"inputs[0][name]=a&inputs[0][data_type]=string&inputs[0][is_required]={text}")
    with pytest.raises(Refused) as caught:
        validated(StepRequested, {**IN_A_STEP, **fields})
    assert caught.value.message.startswith("inputs.0.is_required: ")


@pytest.mark.parametrize(
    ("data_type", "text", "value"),
    [
        ("number", "3", 3),
        ("number", "-2.5", -2.5),
        ("number", "1e3", 1000.0),
        ("number", "", None),
        ("number", "three", "three"),
        ("number", "NaN", "NaN"),
        ("json", '{"x": [1, null]}', {"x": [1, None]}),
        ("json", "null", None),
        ("json", "", None),
        ("json", "{", "{"),
        ("json", '"\\ud800"', '"\\ud800"'),
        ("array", "[1, 2]", [1, 2]),
        ("array", "", None),
        ("boolean", "maybe", "maybe"),
        ("boolean", "", None),
        ("file", "", None),
        ("string", "3", "3"),
        ("string", "True", "True"),
        ("string", "", ""),
        ("file", "3", "3"),
        ("unknown", "3", "3"),
    ],
)
def test_a_default_value_has_the_type_that_its_input_declares(data_type: str, text: str, value: Any) -> None:
    found = default_of(data_type, text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("depth", [1, 90])
def test_a_step_that_a_form_asks_for_can_be_read_by_the_composer(depth: int) -> None:
    asked = validated(StepRequested, {**IN_A_STEP, **step_with_default("[" * depth + "]" * depth)})
    assert decode_data(StepRequested, asked.model_dump_json().encode()) == asked


def test_json_in_a_form_is_refused_when_it_is_nested_too_deep_for_the_composer() -> None:
    with pytest.raises(Refused) as caught:
        step_with_default("[" * 150 + "]" * 150)
    assert caught.value.code is Code.INVALID_JSON


def step_with_default(text: str) -> dict[str, Any]:
    return step(f"inputs[0][name]=a&inputs[0][data_type]=json&inputs[0][default_value]={text}")


def test_a_default_value_in_brackets_keeps_its_shape() -> None:
    (each,) = step("inputs[0][data_type]=json&inputs[0][default_value][x][0]=1")["inputs"]
    assert each["default_value"] == {"x": ["1"]}


@pytest.mark.parametrize(
    ("data_type", "text", "fault"),
    [
        ("number", "three", "it is a text, and the data type is number"),
        ("number", "NaN", "it is a text, and the data type is number"),
        ("number", "true", "it is true, and the data type is number"),
        ("boolean", "maybe", "it is a text, and the data type is boolean"),
        ("array", '{"a": 1}', "it is an object, and the data type is array"),
        ("file", "a.csv", "a file has no value that could be written down"),
    ],
)
def test_a_default_value_that_cannot_have_its_inputs_type_is_refused(data_type: str, text: str, fault: str) -> None:
    fields = step(f"inputs[0][name]=a&inputs[0][data_type]={data_type}&inputs[0][default_value]={quote(text)}")
    with pytest.raises(Refused) as caught:
        validated(StepRequested, {**IN_A_STEP, **fields})
    assert caught.value.message == f"inputs.0: the default_value of 'a' does not fit: {fault}."


def test_a_default_value_without_a_type_stays_text() -> None:
    assert step("inputs[0][default_value]=3")["inputs"] == [{"default_value": "3"}]


def test_lists_that_vanished_on_the_wire_are_empty_lists() -> None:
    assert step("step_name=s") == {"step_name": "s", "inputs": [], "outputs": []}


def test_empty_descriptions_are_no_descriptions() -> None:
    found = step("description=&inputs[0][description]=&outputs[0][description]=")
    assert (found["description"], found["inputs"], found["outputs"]) == (
        None,
        [{"description": None}],
        [{"description": None}],
    )


def test_descriptions_are_kept() -> None:
    found = step("description=d&inputs[0][description]=i&outputs[0][description]=o")
    assert (found["description"], found["inputs"], found["outputs"]) == (
        "d",
        [{"description": "i"}],
        [{"description": "o"}],
    )


@pytest.mark.parametrize("body", ["inputs=rows", "outputs=model"])
def test_inputs_that_are_no_list_are_refused(body: str) -> None:
    with pytest.raises(Refused) as caught:
        validated(StepRequested, {**IN_A_STEP, **step(body)})
    assert caught.value.code is Code.INVALID_BODY


def test_a_null_in_the_container_config_is_null_again() -> None:
    fields = step("container_config[requirements_path]=&container_config[language]=python:3.11")
    assert fields["container_config"] == {"requirements_path": None, "language": "python:3.11"}


def test_the_form_of_the_sdk_asks_for_the_same_step_as_its_json() -> None:
    by_form = step(
        "step_name=train&function_path=src%2Ftrain.py&function_name=train&description=Learns"
        "&inputs%5B0%5D%5Bname%5D=rows&inputs%5B0%5D%5Bdata_type%5D=array&inputs%5B0%5D%5Bis_required%5D=True"
        "&inputs%5B1%5D%5Bname%5D=rate&inputs%5B1%5D%5Bdata_type%5D=number&inputs%5B1%5D%5Bis_required%5D=False"
        "&inputs%5B1%5D%5Bdefault_value%5D=0.1&outputs%5B0%5D%5Bname%5D=model&outputs%5B0%5D%5Bdata_type%5D=file"
        "&container_config%5Blanguage%5D=python%3A3.11&container_config%5Bincluded_folders%5D%5B0%5D=src"
    )
    by_json = {
        "step_name": "train",
        "function_path": "src/train.py",
        "function_name": "train",
        "description": "Learns",
        "inputs": [
            {"name": "rows", "data_type": "array", "is_required": True},
            {"name": "rate", "data_type": "number", "is_required": False, "default_value": 0.1},
        ],
        "outputs": [{"name": "model", "data_type": "file"}],
        "container_config": {"language": "python:3.11", "included_folders": ["src"]},
    }
    assert validated(StepRequested, by_form) == validated(StepRequested, by_json)
