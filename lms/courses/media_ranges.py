"""The Range header of a request for a file: RFC 9110, section 14. No database, no Django."""

import re
from typing import NamedTuple

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class ByteRange(NamedTuple):
    """Zero-based, both ends included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


class NotSatisfiable(Exception):
    """The file has none of the bytes that are asked for."""


def requested_range(header: str, size_bytes: int) -> ByteRange | None:
    """None asks for the whole file; so do several ranges and anything malformed, which a server may pass over."""
    match = _ONE_RANGE.fullmatch(header.strip())
    if match is None or match.group() == "bytes=-":
        return None
    start, end = match.groups()
    if not start:
        first, last = max(0, size_bytes - int(end)), size_bytes - 1
    else:
        first, last = int(start), min(int(end) if end else size_bytes, size_bytes - 1)
        if end and int(end) < first:
            return None
    if first > last:
        raise NotSatisfiable
    return ByteRange(first, last)
