"""The text of the replies that this process is making, and the readers who follow it.

A reader holds nothing but a position, so a slow one costs no memory: it gets what has come together when it is ready.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator

from lms.courses.markdown import FinishedBlocks, ReplyRenderer
from tutoring import events
from tutoring.events import Ending, Event

# A reader who comes late gets a long reply in pieces, so that what waits to be sent stays small.
MAX_DELTA_CHARACTERS = 32_768


class LiveReply:
    """Append-only text with a position in Unicode code points, its finished blocks as HTML, and its end."""

    def __init__(self) -> None:
        self.length = 0
        self.ending: Ending | None = None
        self._retry_ms = 0
        self._dones: dict[bool, Event] = {}
        self._pieces: list[str] = []
        self._starts: list[int] = []
        self._readers: set[asyncio.Event] = set()
        self._renderer: ReplyRenderer | None = None
        self._rendered = 0
        self._markup: list[FinishedBlocks] = []

    def append(self, text: str) -> None:
        if text:
            self._starts.append(self.length)
            self._pieces.append(text)
            self.length += len(text)
            self._wake()

    def end(self, ending: Ending, body: str | None = None) -> None:
        """`body` is what the row has, where that is not the text that came."""
        if body is not None and body != self.text_from(0):
            self._pieces, self._starts, self.length = [body], [0], len(body)
        self.ending = ending
        self._wake()

    def dismiss(self, retry_ms: int) -> None:
        """Send the readers of now and of later away with what there is: they shall come back after `retry_ms`."""
        self._retry_ms = retry_ms
        self._wake()

    def text_from(self, offset: int) -> str:
        if offset >= self.length:
            return ""
        index = bisect_right(self._starts, offset) - 1
        first = self._pieces[index][offset - self._starts[index] :]
        return first + "".join(self._pieces[index + 1 :])

    async def follow(self, after: int, *, pages: bool) -> AsyncGenerator[Event, None]:
        """Deltas from the position `after` on, then `done`; with `pages`, markup of finished blocks from the first.

        `restart` comes instead of `done` when the process goes away. A position beyond the text is taken as its end.
        """
        after = min(after, self.length)
        woken = asyncio.Event()
        self._readers.add(woken)
        runs_sent = 0
        try:
            while True:
                woken.clear()
                while text := self.text_from(after)[:MAX_DELTA_CHARACTERS]:
                    yield events.delta(after, text)
                    after += len(text)
                if pages:
                    for run in self._finished_markup()[runs_sent:]:
                        runs_sent += 1
                        yield events.markup(run.from_block, run.html, run.length)
                if self.ending and after >= self.length:
                    yield self._done(self.ending, pages)
                    return
                if self._retry_ms:
                    yield events.restart(self._retry_ms)
                    return
                await woken.wait()
        finally:
            self._readers.discard(woken)

    def _done(self, ending: Ending, pages: bool) -> Event:
        """Drawn once for all readers: a lecture of them ends at one moment."""
        if pages not in self._dones:
            self._dones[pages] = events.done(ending, self.text_from(0), pages=pages)
        return self._dones[pages]

    def _finished_markup(self) -> list[FinishedBlocks]:
        """Rendered once for all readers, and not at all for a reply that no page follows."""
        if self._renderer is None:
            self._renderer = ReplyRenderer()
        if self._rendered < self.length:
            fresh = self.text_from(self._rendered)
            self._rendered = self.length
            if run := self._renderer.feed(fresh):
                self._markup.append(run)
        return self._markup

    def _wake(self) -> None:
        for woken in self._readers:
            woken.set()
