"""The product from the outside: HTTP, the clients, and plain Kafka."""

import pytest

pytest.register_assert_rewrite("tests.acceptance.problems", "tests.acceptance.tenant", "tests.acceptance.stack")
