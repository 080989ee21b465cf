"""An event as one JSON document."""

import json

import pytest

from events.codec import event_attributes
from events.structured import event_as_json

from .conftest import MakeEvent


@pytest.mark.parametrize("change", [{}, {"traceparent": "00-1-2-01"}, {"actor": 'Ünï "😀" \u2028'}], ids=str)
def test_it_has_the_attributes_of_the_record_and_the_data(make_event: MakeEvent, change: dict[str, str]) -> None:
    event = make_event(**change)
    told = json.loads(event_as_json(event))
    attributes = {name: text for name, text in event_attributes(event).items() if text is not None}
    assert told == {
        **attributes,
        "result": event.is_result,
        "datacontenttype": "application/json",
        "data": json.loads(event.data),
    }


def test_it_is_one_line_whatever_an_attribute_holds(make_event: MakeEvent) -> None:
    assert not {"\n", "\r"} & set(event_as_json(make_event(actor="a\nb\rc")))
