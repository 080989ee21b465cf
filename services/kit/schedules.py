"""Schedules as readers see them: in words, and the moments at which they come due."""

from datetime import datetime
from itertools import islice

from cron_descriptor import FormatError, MissingFieldError, Options, WrongArgumentError, get_description
from cronsim import CronSim


def schedule_in_words(schedule: str | None) -> str | None:
    """Return five cron fields as an English sentence, for example `At 06:00 AM, only on Monday`.

    A schedule that can be followed but not told, such as `*,5 * * * *`, is returned as it is.
    """
    if schedule is None:
        return None
    try:
        return str(get_description(schedule, Options(locale_code="en_US")))
    except (FormatError, MissingFieldError, WrongArgumentError):
        return schedule


def next_times(schedule: str, after: datetime, number: int) -> list[datetime]:
    """Return the next moments of a valid schedule behind `after`; fewer when it comes due no more often."""
    return list(islice(CronSim(schedule, after), number))
