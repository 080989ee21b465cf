"""Where a step's source may come from, and opening it."""

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import JsonValue

from events.refusals import FailureCode
from services.builder.errors import Unbuildable
from services.builder.git import Source
from services.builder.https_git import https_source
from services.builder.local_git import local_source
from services.builder.ssh_git import ssh_address, ssh_source
from services.builder.wording import listed, quoted
from services.kit.settings import BuilderSettings


def open_source(
    container_config: Mapping[str, JsonValue],
    settings: BuilderSettings,
    abandoned: threading.Event,
    deploy_key: str | None = None,
) -> AbstractContextManager[Source]:
    """Return the source that `container_config` names, open inside a `with` block.

    The block may raise Unbuildable, Unreachable, or OSError for trouble of our own. `abandoned`, once set, ends a
    fetch soon.
    """
    url = _text(container_config, "repository_url")
    branch = _text(container_config, "repository_branch")
    if url is None:
        raise Unbuildable(
            FailureCode.SOURCE_MISSING,
            f"The step names no source; set container_config.repository_url to {what_is_allowed(settings)}.",
        )
    address = ssh_address(url)
    if address is not None and settings.ssh_known_hosts_file and address.host_and_port in settings.allowed_hosts:
        return ssh_source(address, branch, deploy_key, settings, abandoned)
    parts = _split(url)
    if parts.scheme == "https" and _is_plain_https(parts, settings.allowed_hosts):
        return https_source(url, branch, settings, abandoned)
    if parts.scheme in {"", "file"} and parts.netloc in {"", "localhost"} and parts.path.startswith("/"):
        path = unquote(parts.path) if parts.scheme else url
        return local_source(path, branch, settings.source_roots, what_is_allowed(settings), abandoned)
    raise Unbuildable(
        FailureCode.SOURCE_NOT_ALLOWED, f"This repository_url is not allowed; use {what_is_allowed(settings)}."
    )


def what_is_allowed(settings: BuilderSettings) -> str:
    """Return, for a reason, which sources these settings allow."""
    allowed = []
    if settings.allowed_hosts:
        allowed.append(f"an https URL (without user name and password) on {listed(settings.allowed_hosts, 'or')}")
    if settings.allowed_hosts and settings.ssh_known_hosts_file:
        allowed.append(
            f"an ssh URL with container_config.repository_deploy_key on {listed(settings.allowed_hosts, 'or')}"
        )
    if settings.source_roots:
        roots = [str(root) for root in settings.source_roots]
        allowed.append(f"the absolute path of a git repository below {listed(roots, 'or')}")
    return ", or ".join(allowed) or "nothing: this installation's settings allow no source"


def _is_plain_https(parts: SplitResult, allowed_hosts: list[str]) -> bool:
    """Tell whether `parts` is https on an allowed host (or host:port) and carries nothing but a path."""
    return parts.netloc.lower() in allowed_hosts and not parts.query and not parts.fragment


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise Unbuildable(FailureCode.SOURCE_NOT_ALLOWED, f"repository_url {quoted(url)} is no URL; mend it.") from None


def _text(container_config: Mapping[str, JsonValue], key: str) -> str | None:
    value = container_config.get(key)
    if value is not None and not isinstance(value, str):
        raise Unbuildable(FailureCode.SOURCE_MISSING, f"container_config.{key} must be text.")
    # Forms send null as the empty text.
    return value or None
