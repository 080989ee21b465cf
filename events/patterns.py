"""How a text is written: a pattern for programs, and words for people, who read no patterns."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class Pattern:
    """Annotates a text: its whole must match `regex`; `words` go on behind "must" and say what to write."""

    regex: str
    words: str

    def matches(self, text: str) -> bool:
        """Tell whether the whole of `text` is written so."""
        return re.fullmatch(self.regex, text) is not None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check behind the text's own schema."""
        return core_schema.no_info_after_validator_function(self._demand, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Say the pattern, beside what the text's own schema says."""
        return {**handler(schema), "pattern": self.regex}

    def _demand(self, text: str) -> str:
        if not self.matches(text):
            raise PydanticCustomError("not_written_so", "must {words}", {"words": self.words})
        return text


NO_NUL = Pattern(r"^[^\x00]*$", "not have a NUL character in it")
DIGEST = Pattern("^sha256:[0-9a-f]{64}$", "be `sha256:` and 64 hexadecimal digits in small letters")
