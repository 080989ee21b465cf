"""Where a step's request may hold a secret, and whether one stands there in the clear."""

from collections.abc import Mapping
from typing import Any

DEPLOY_KEY = "repository_deploy_key"
REPOSITORY = "repository_url"


def secret_in_the_clear(container_config: Mapping[str, Any]) -> str | None:
    """Return the field of `container_config` that holds a secret in the clear, or None when none does."""
    if container_config.get(DEPLOY_KEY):
        return f"container_config.{DEPLOY_KEY}"
    if has_credentials(container_config.get(REPOSITORY)):
        return f"container_config.{REPOSITORY}"
    return None


def has_credentials(url: object) -> bool:
    """Tell whether a repository's URL holds a password or a token; the user name of ssh is none."""
    scheme, separator, rest = str(url).partition("://")
    user, at, _ = rest.partition("/")[0].rpartition("@")
    return bool(separator and at) and (scheme.lower() != "ssh" or ":" in user)
