"""Reads out of a PromQL query which metrics it asks for, by which labels. Not a parser: names, braces and groupings."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

FUNCTIONS = {
    "avg", "avg_over_time", "changes", "count", "deriv", "histogram_quantile", "increase", "max", "max_over_time",
    "min", "rate", "sum",
}  # fmt: skip
GROUPINGS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
OPERATORS = {"and", "or", "unless", "bool", "offset"}
TOKEN = re.compile(
    r"""
      (?P<text>"[^"]*"|'[^']*')
    | (?P<range>\[[^\]]*\])
    | (?P<word>[a-zA-Z_:][\w:]*)
    | (?P<number>[0-9][0-9.]*[a-z]*)
    | (?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^(){},=<>])
    """,
    re.VERBOSE,
)


@dataclass
class Query:
    """What a query names: each metric with the labels that it is matched by, and the labels it is grouped by."""

    metrics: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    grouped_by: set[str] = field(default_factory=set)


def read_query(text: str) -> Query:
    """Return what `text` names. Raises ValueError at what is neither a metric nor known."""
    query, metric, within, is_grouping = Query(), "", "", False
    tokens = _tokens(text)
    for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
        if token == "{" or (token == "(" and is_grouping):
            within, is_grouping = token, False
        elif token in "})" and within:
            within = ""
        elif not is_word(token):
            continue
        elif within:
            (query.grouped_by if within == "(" else query.metrics[metric]).add(token)
        elif token in GROUPINGS:
            is_grouping = True
        elif _is_metric(token, following, text):
            metric = token
            query.metrics[metric] |= set()
    return query


def is_word(token: str) -> bool:
    """Tell a name from a sign or a number."""
    return token[0].isalpha() or token[0] in "_:"


def _is_metric(word: str, following: str, text: str) -> bool:
    if word in OPERATORS or (word in FUNCTIONS and (following == "(" or following in GROUPINGS)):
        return False
    if following == "(":
        raise ValueError(f"'{word}' is no function that is known here: {text}")
    return True


def _tokens(text: str) -> list[str]:
    left = TOKEN.sub("", text).strip()
    if left:
        raise ValueError(f"'{left}' cannot be read: {text}")
    return [match.group() for match in TOKEN.finditer(text) if match.lastgroup not in {"text", "range"}]
