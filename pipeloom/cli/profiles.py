"""Which Pipeloom a command speaks to: --profile, the environment, PIPELOOM_PROFILE, the profile `default`."""

import os
import tomllib
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from pipeloom.client import NotConfigured

DEFAULT = "default"

_chosen: ContextVar[str | None] = ContextVar("profile", default=None)


@dataclass(frozen=True)
class Access:
    """An address and a token, always from the same source, so that no token goes to another one's address."""

    source: str
    url: str | None
    sdk_token: str | None


def choose(profile: str | None) -> None:
    """Take the profile that the command line names, or None."""
    _chosen.set(profile)


def config_file() -> Path:
    """Return where profiles are kept, whether or not there is such a file."""
    return Path(typer.get_app_dir("pipeloom")) / "config.toml"


def access() -> Access:
    """Return what the first source gives that there is. Raises NotConfigured on a profile that cannot be used."""
    environment = os.environ
    if chosen := _chosen.get():
        return _of_profile(chosen, "--profile")
    if url := environment.get("PIPELOOM_URL"):
        token = environment.get("PIPELOOM_SDK_TOKEN") or environment.get("CRAFT_AI_SDK_TOKEN")
        return Access("environment variables", url, token)
    if named := environment.get("PIPELOOM_PROFILE"):
        return _of_profile(named, "PIPELOOM_PROFILE")
    if DEFAULT in read_profiles():
        return _of_profile(DEFAULT, "no other is named")
    return Access("nothing is configured", None, None)


def read_profiles() -> Mapping[str, Any]:
    """Return the profiles of the config file by name; none when there is no file. Raises NotConfigured."""
    path = config_file()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NotConfigured("not_configured", f"The config file {path} cannot be read: {error}.") from error
    profiles = content.get("profiles", {})
    if not isinstance(profiles, dict):
        raise NotConfigured("not_configured", f"In the config file {path}, write each profile as [profiles.NAME].")
    return profiles


def _of_profile(name: str, why: str) -> Access:
    profiles = read_profiles()
    if name not in profiles:
        there = ", ".join(profiles) or "there are none"
        raise NotConfigured(
            "not_configured", f"There is no profile '{name}' ({why}) in {config_file()}. Profiles: {there}."
        )
    profile = profiles[name]
    values = [profile.get(key) if isinstance(profile, dict) else None for key in ("url", "token")]
    if not all(isinstance(value, str) and value for value in values):
        raise NotConfigured(
            "not_configured",
            f'The profile \'{name}\' in {config_file()} needs two texts: url = "http://…" and token = "…".',
        )
    return Access(f"profile '{name}' ({why})", *values)
