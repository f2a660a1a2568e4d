import re

ID_PREFIX = "section-"


class Outline:
    """Heading levels below the page's own h1, without gaps, whatever levels the author used."""

    def __init__(self) -> None:
        self._open: list[int] = []
        self._ids: set[str] = set()

    def level(self, written: int) -> int:
        while self._open and self._open[-1] >= written:
            self._open.pop()
        self._open.append(written)
        return min(len(self._open) + 1, 6)

    def id(self, title: str) -> str:
        """An id that no other heading of this outline has; its prefix keeps it apart from the page's own ids."""
        slug = re.sub(r"[\W_]+", "-", title.lower()).strip("-")[:60] or "untitled"
        unique, number = slug, 1
        while unique in self._ids:
            number += 1
            unique = f"{slug}-{number}"
        self._ids.add(unique)
        return ID_PREFIX + unique
