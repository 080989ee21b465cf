"""Repositories on https hosts."""

import threading
from contextlib import AbstractContextManager

from services.builder.git import Source
from services.builder.https_client import GuardedGitClient
from services.builder.remote_git import remote_source
from services.kit.settings import BuilderSettings


def https_source(
    url: str, branch: str | None, settings: BuilderSettings, abandoned: threading.Event
) -> AbstractContextManager[Source]:
    """Fetch the head of `branch`."""
    client = GuardedGitClient(url, settings.allowed_hosts, abandoned)
    return remote_source(client.fetch_pack, "", url, branch, settings, abandoned)
