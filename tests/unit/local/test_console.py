import io

from rich.console import Console

from pipeloom.local.console import LiveConsole, progress_on


def test_a_pipe_gets_plain_lines_without_escapes() -> None:
    output = io.StringIO()
    progress = progress_on(Console(file=output))

    progress.say("kafka", "downloading [2] files")
    progress.advance("kafka", 1, 2)
    progress.advance("kafka", 2, 2)
    progress.settle()
    progress.say("postgres", "ready")

    assert output.getvalue().splitlines() == [
        "kafka      downloading [2] files",
        "kafka      2 of 2",
        "postgres   ready",
    ]


def test_a_terminal_gets_moving_lines_first_and_plain_news_later() -> None:
    output = io.StringIO()
    progress = progress_on(Console(file=output, force_terminal=True, width=100))

    progress.say("kafka", "downloading [2] files")
    progress.advance("kafka", 2, 2)
    progress.settle()
    progress.say("relay", "was ended by SIGKILL")

    assert isinstance(progress, LiveConsole)
    assert "\x1b[" in output.getvalue()
    assert output.getvalue().endswith("relay      was ended by SIGKILL\n")


class ClosedTerminal(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError("the terminal is gone")


def test_a_closed_terminal_does_not_end_the_stack() -> None:
    progress = progress_on(Console(file=ClosedTerminal()))

    progress.say("up", "stopping")
