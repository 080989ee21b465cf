"""What a lag is."""

from services.kit.lag import records_behind


def test_what_is_behind_is_what_was_not_gone_on_from() -> None:
    assert [records_behind(10, next_offset) for next_offset in (4, 10, 12)] == [6, 0, 0]


def test_a_part_that_never_stood_anywhere_has_all_in_front_of_it() -> None:
    assert records_behind(10, -1) == 10


def test_the_marker_behind_the_last_transaction_is_no_record() -> None:
    assert [records_behind(10, next_offset, is_transactional=True) for next_offset in (4, 9, 10)] == [5, 0, 0]
