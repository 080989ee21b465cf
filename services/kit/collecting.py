"""When Python looks for garbage in circles: seldom, since what we make leaves none."""

import gc

# So many more objects than there were. The 700 of Python are a few commands or events: it looked at all that a process
# ever loaded several times a second, which was 40 % of the work on a batch.
COLLECT_AFTER = 50_000


def collect_seldom() -> None:
    """Leave what was loaded up to now, which stays, out of every collection, and collect seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
