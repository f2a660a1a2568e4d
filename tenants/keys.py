"""How things outside PostgreSQL are named, so that no two universities ever share one.

Channel groups, files, cache and Redis keys, tags of traces and counters of requests all begin with what `key_for` says.
"""

import re
from typing import Literal

# For people and addresses before a university is known, and for the installation itself. No university has this slug.
PLATFORM = "platform"

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_WAYS_OUT = {"", ".", ".."}


def key_for(university: int | str, *parts: object, joined_by: Literal[".", "/"] = ".") -> str:
    """The name of something of one university, by its id; by its slug where people read it; or of `PLATFORM`.

    With points between the parts it can name a channel group: they are ASCII letters, digits, "-" and "_". With
    `joined_by="/"` it is a path, whose parts may have more, but do not lead elsewhere. Raises ValueError for others.
    """
    names = [str(part) for part in parts]
    refused = [name for name in names if not _fits(name, joined_by)]
    if refused or not _PLAIN.fullmatch(str(university)):
        raise ValueError(f"{refused or university!r} cannot be part of a key that is joined by {joined_by!r}.")
    return joined_by.join([str(university), *names])


def _fits(name: str, joined_by: str) -> bool:
    if joined_by == "/":
        return name not in _WAYS_OUT and "/" not in name and "\\" not in name
    return bool(_PLAIN.fullmatch(name))
