"""What the clients of one round know: what they asked, what was acknowledged, and the text that they were given."""

import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
# Before the next connection where nobody said when.
AGAIN_S = 0.05
IDS = ("session", "message", "reply", "generation")


class Gap(Exception):
    """Text that begins beyond what the reader holds: it has to ask for what is between."""


@dataclass
class Ask:
    """One question under one key. The words carry a mark by which the provider's ledger knows it."""

    session: str
    student: str
    key: str = field(default_factory=lambda: f"key-{uuid.uuid4().hex}")
    mark: str = field(default_factory=lambda: f"q-{uuid.uuid4().hex}")
    ids: dict[str, str] | None = None
    acknowledged_at: float | None = None
    refusal: tuple[int | str, dict[str, Any]] | None = None
    wrongs: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return f"Why do samples vary? Tell me about {self.mark}"

    @property
    def generation(self) -> str:
        assert self.ids, "not acknowledged"
        return self.ids["generation"]

    def acknowledge(self, started: Event) -> None:
        ids = {name: started[name] for name in IDS}
        if self.ids is None:
            self.ids, self.acknowledged_at = ids, time.time()
        elif ids != self.ids:
            self.wrongs.append(f"the key {self.key} was answered with {ids} after {self.ids}")


@dataclass
class Reading:
    """One reader of one reply. A position is a number of code points, which is what Python's strings count."""

    ask: Ask
    text: str = ""
    done: Event | None = None
    deltas: int = 0
    gaps: int = 0
    restarts: int = 0
    come_back_after_s: float = AGAIN_S
    # Text that was shown and is not in the reply any more, since its process died before it was saved.
    taken_back: int = 0
    first_text_at: float | None = None
    wrongs: list[str] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.done is not None or self.ask.refusal is not None

    def take(self, event: Event) -> None:
        match event["event"]:
            case "started":
                self.ask.acknowledge(event)
            case "delta":
                self._append(event["from"], event["text"])
            case "done":
                self._end(event)
            case "restart":
                self.restarts += 1
                self.come_back_after_s = event["retry_ms"] / 1000

    def _append(self, offset: int, text: str) -> None:
        self.deltas += 1
        self.first_text_at = self.first_text_at or time.time()
        held = len(self.text)
        if offset > held:
            self.gaps += 1
            raise Gap
        if self.text[offset : offset + len(text)] != text[: held - offset]:
            self.wrongs.append(f"a delta from {offset} contradicts what was sent before")
        self.text += text[held - offset :]

    def _end(self, event: Event) -> None:
        length = event["length"]
        if length > len(self.text):
            self.gaps += 1
            raise Gap
        self.taken_back += len(self.text) - length
        self.text = self.text[:length]
        self.done = event


@dataclass
class Ledger:
    asks: list[Ask] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    # Of every answer over HTTP, and `error` frames by their code.
    answers: Counter[int | str] = field(default_factory=Counter)
    breaks: Counter[str] = field(default_factory=Counter)

    def ask(self, session: str, student: str) -> Ask:
        self.asks.append(Ask(session, student))
        return self.asks[-1]

    def reading(self, ask: Ask) -> Reading:
        self.readings.append(Reading(ask))
        return self.readings[-1]

    @property
    def acknowledged(self) -> list[Ask]:
        return [ask for ask in self.asks if ask.ids]

    @property
    def sessions(self) -> list[str]:
        return sorted({ask.session for ask in self.asks})
