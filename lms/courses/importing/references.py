"""An address in a lesson's text: a picture's, a link's, a film's."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

_PATH = re.compile(r"[^?#]*")


@dataclass(frozen=True)
class Reference:
    """`address` is what the author means, escapes resolved; `is_embedded` for pictures and films, not for links."""

    address: str
    is_embedded: bool

    @property
    def is_remote(self) -> bool:
        """Whether it names another site or scheme (https:, mailto:, data:)."""
        try:
            parts = urlsplit(self.address)
        except ValueError:
            return True
        return bool(parts.scheme or parts.netloc)

    @property
    def path(self) -> str:
        """Without query and fragment, percent signs resolved."""
        found = _PATH.match(self.address)
        return unquote(found[0]) if found else ""

    @property
    def suffix(self) -> str:
        """The query and the fragment, as written."""
        return _PATH.sub("", self.address, count=1)


# The address to write instead: the same one to leave it, "" to take the link away and leave its words.
Resolve = Callable[[Reference], str]


@dataclass(frozen=True)
class Edit:
    start: int
    end: int
    text: str


def apply_edits(source: str, edits: list[Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        source = source[: edit.start] + edit.text + source[edit.end :]
    return source


def as_address(path: str) -> str:
    """A media path as Markdown and HTML write it, with blanks and the like as percent signs."""
    # A colon in the first part would read as a scheme.
    return quote(path, safe="/~!$&'*+,;=@-._")
