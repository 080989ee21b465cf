"""The builder: fetches the source of a new step, checks it without running any of it, and reports what it found."""
