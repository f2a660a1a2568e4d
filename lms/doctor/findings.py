"""What a check says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Verdict:
    """`sentence` says what was seen and, where something is wrong, what to do. It never carries a secret."""

    state: State
    sentence: str


@dataclass(frozen=True)
class Finding:
    """One check's verdict; `name` is the check's function's, with blanks."""

    name: str
    state: State
    sentence: str


Check = Callable[[], Verdict]


def ok(sentence: str) -> Verdict:
    return Verdict("ok", sentence)


def warn(sentence: str) -> Verdict:
    """Works, but not as it should for long."""
    return Verdict("warn", sentence)


def fail(sentence: str) -> Verdict:
    return Verdict("fail", sentence)
