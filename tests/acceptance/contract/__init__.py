"""What craft-ai-sdk expects of the server, by the unmodified package in several versions."""

import pytest

pytest.register_assert_rewrite("tests.acceptance.contract.steps", "tests.acceptance.contract.deployments")
