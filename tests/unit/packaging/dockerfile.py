"""Reads a Dockerfile as far as the tests look at one."""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stage:
    """What stands between a FROM and the next one: instructions in order, each with its whole text."""

    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        """Return the texts of one kind of instruction."""
        return [text for name, text in self.instructions if name == instruction]


def read_stages(text: str) -> list[Stage]:
    """Return the stages in order; comments are left out and continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, rest = line.strip().partition(" ")
        if name == "FROM":
            stages.append(Stage(rest))
        elif name and stages:
            stages[-1].instructions.append((name, rest))
    return stages
