"""What an answer means: taken, failed, gone, or to be left alone for a while."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpcore
import pytest

from services.webhooks.sending import judged


def response(status: int, retry_after: str | None = None) -> httpcore.Response:
    return httpcore.Response(status, headers=[("retry-after", retry_after)] if retry_after else [])


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success(status: int) -> None:
    answer = judged(response(status))
    assert (answer.status_code, answer.fault, answer.is_gone) == (status, "", False)


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 400, 401, 404, 410, 429, 500, 503])
def test_anything_else_is_a_failure_and_only_410_is_gone(status: int) -> None:
    answer = judged(response(status))
    assert str(status) in answer.fault
    assert answer.is_gone is (status == 410)
    assert ("redirect" in answer.fault) is (status < 400)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("soon", None),
        ("-5", None),
        ("9" * 30, None),
        ("Mon, 99 Foo", None),
        ("²", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2035 00:00:00 +99999999999999", None),
        ("Mon, 01 Jan 2035 00:00:00 -0000", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
    ],
)
def test_a_time_to_come_back_is_read_or_left_out(given: str, wanted: float | None) -> None:
    headers = [(b"Retry-After", given.encode("latin-1", "replace"))]
    assert judged(httpcore.Response(503, headers=headers)).retry_after_s == wanted


def test_a_date_to_come_back_is_read() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert judged(response(429, at)).retry_after_s == pytest.approx(3600, abs=5)
    past = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    assert judged(response(429, past)).retry_after_s == 0


def test_other_failures_do_not_say_when_to_come_back() -> None:
    assert judged(response(500, "120")).retry_after_s is None
