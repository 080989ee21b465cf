"""When a delivery that failed is tried again."""

import random
from collections.abc import Sequence

# A receiver may ask to be left alone, but not for ever.
MAX_RETRY_AFTER_S = 86_400.0
JITTER = 0.1


def retry_delay(delays_s: Sequence[float], attempts: int, retry_after_s: float | None = None) -> float | None:
    """Return how long to wait after `attempts` failures, or None when that were all.

    A little longer each time by chance, so that what failed together does not come back together.
    """
    if attempts > len(delays_s):
        return None
    asked_s = min(retry_after_s or 0.0, MAX_RETRY_AFTER_S)
    return max(delays_s[attempts - 1], asked_s) * random.uniform(1.0, 1.0 + JITTER)  # noqa: S311 - no secret
