"""What became of each element of a source. No element goes missing without a line here."""

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Outcome(StrEnum):
    MAPPED = "mapped"
    # Taken in, but something of it is lost; the reason says what.
    DEGRADED = "degraded"
    # Of a known kind, but not acceptable as it is.
    REFUSED = "refused"
    # Of a kind that is not imported.
    NOT_MAPPED = "not_mapped"
    # Left as it stands in the database, because people have worked on it or the source no longer has it.
    KEPT = "kept"


@dataclass(frozen=True)
class Entry:
    """`source` names the element within its source; `kind` is the source's own word for what it is."""

    source: str
    kind: str
    outcome: Outcome
    reason: str = ""


@dataclass
class Ledger:
    _entries: dict[str, Entry] = field(default_factory=dict)

    def __contains__(self, source: str) -> bool:
        return source in self._entries

    @property
    def entries(self) -> list[Entry]:
        """In the order in which the elements were met."""
        return list(self._entries.values())

    def record(self, source: str, kind: str, outcome: Outcome, reason: str = "") -> None:
        """One entry for an element: what is said later replaces what was said before."""
        self._entries[source] = Entry(source, kind, outcome, reason)

    def record_taken(self, source: str, kind: str, losses: list[str]) -> None:
        """Mapped, or degraded where something was lost."""
        counted = Counter(losses)
        reasons = [f"{loss} ({count} times)" if count > 1 else loss for loss, count in counted.items()]
        self.record(source, kind, Outcome.DEGRADED if losses else Outcome.MAPPED, "; ".join(reasons))

    def lose(self, source: str, kind: str, loss: str) -> None:
        """Add a loss that only showed while writing."""
        known = self._entries.get(source)
        reasons = [known.reason] if known and known.reason else []
        self.record(source, known.kind if known else kind, Outcome.DEGRADED, "; ".join([*reasons, loss]))

    def keep(self, source: str, kind: str, reason: str) -> None:
        known = self._entries.get(source)
        entry = known or Entry(source, kind, Outcome.KEPT)
        self._entries[source] = replace(entry, outcome=Outcome.KEPT, reason=reason)

    def of(self, outcome: Outcome) -> list[Entry]:
        return [entry for entry in self._entries.values() if entry.outcome == outcome]
