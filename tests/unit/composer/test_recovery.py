"""The pure parts of verify and rebuild: what is said, and what is told of how far it is."""

import pytest

from services.composer.recovery.arguments import parser
from services.composer.recovery.differences import MAX_NAMED, Difference, Findings
from services.composer.recovery.progress import Progress


def test_a_difference_names_its_environment_and_resource() -> None:
    assert str(Difference("team-a", "steps/train", "differs in body")) == "team-a: steps/train: differs in body"
    assert str(Difference(None, "cursor of partition 3", "there is none")) == "cursor of partition 3: there is none"


def test_more_differences_than_can_be_named_are_counted() -> None:
    findings = Findings()
    for number in range(MAX_NAMED + 500):
        findings.add(Difference("e", f"steps/{number}", "differs in body"))
    assert (findings.differences_total, len(findings.differences)) == (MAX_NAMED + 500, MAX_NAMED)
    assert findings.as_json()["equal"] is False


def test_away_from_a_terminal_progress_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given
    monkeypatch.setattr("services.composer.recovery.progress.SAY_EVERY_S", 0.0)
    # When
    with Progress() as progress:
        progress.begin("verifying", 10)
        progress.advance(4)
        progress.advance(8)
    # Then
    told = capsys.readouterr()
    assert told.err.splitlines() == ["verifying: 4 of 10 events", "verifying: 12 of 12 events"]
    assert told.out == ""


def test_unknown_words_end_with_the_code_for_not_checked() -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["verify", "--environmnet", "x"])
    assert ended.value.code == 2
