"""Environment variables' values: sealed for one variable of one environment, and opened for no other."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.names import is_sealed
from events.refusals import Code, Refused
from events.resources import EnvironmentVariable
from services.kit.sealing import Sealer, ensure_secrets_key
from services.kit.settings import SecretsSettings
from services.kit.variables import MAX_VALUE_BYTES, open_value, seal_value

AT = "2026-01-31T12:00:00.000Z"


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    ensure_secrets_key(tmp_path / "secrets.key")
    return Sealer(SecretsSettings(key_file=tmp_path / "secrets.key"))


def variable(name: str, sealed: str) -> EnvironmentVariable:
    return EnvironmentVariable(
        name=name, sealed_value=sealed, created_at=AT, created_by="ada", updated_at=AT, updated_by="ada"
    )


@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=200))
def test_any_value_comes_out_as_it_went_in_and_has_the_form_that_the_composer_demands(
    sealer: Sealer, value: str
) -> None:
    sealed = seal_value(sealer, "lab", "KEY", value)
    assert is_sealed(sealed)
    assert open_value(sealer, "lab", variable("KEY", sealed)) == value
    assert seal_value(sealer, "lab", "KEY", value) == sealed, "a repeated request is the same command"


def test_the_largest_value_fits_into_a_command(sealer: Sealer) -> None:
    sealed = seal_value(sealer, "lab", "KEY", "x" * MAX_VALUE_BYTES)
    assert len(sealed) < 64 * 1024


@pytest.mark.parametrize("value", ["x" * (MAX_VALUE_BYTES + 1), "ö" * (MAX_VALUE_BYTES // 2 + 1), "a\x00b"])
def test_a_value_that_cannot_be_kept_is_refused_and_not_repeated(sealer: Sealer, value: str) -> None:
    with pytest.raises(Refused) as refused:
        seal_value(sealer, "lab", "KEY", value)
    assert (refused.value.code, refused.value.details) == (Code.INVALID_BODY, {"environment_variable_name": "KEY"})
    assert value not in refused.value.message


@pytest.mark.parametrize(("environment", "name"), [("other", "KEY"), ("lab", "OTHER")])
def test_a_value_that_was_sealed_for_something_else_is_not_opened(sealer: Sealer, environment: str, name: str) -> None:
    sealed = seal_value(sealer, "lab", "KEY", "sesame")
    with pytest.raises(Refused) as refused:
        open_value(sealer, environment, variable(name, sealed))
    assert (refused.value.code, refused.value.details) == (Code.UNREADABLE_VALUE, {"environment_variable_name": name})
    assert "sesame" not in refused.value.message


def test_a_value_whose_key_is_gone_says_so(sealer: Sealer, tmp_path: Path) -> None:
    sealed = seal_value(sealer, "lab", "KEY", "sesame")
    ensure_secrets_key(tmp_path / "other.key")
    other = Sealer(SecretsSettings(key_file=tmp_path / "other.key"))
    with pytest.raises(Refused, match="PIPELOOM_SECRETS__KEY_FILE"):
        open_value(other, "lab", variable("KEY", sealed))
