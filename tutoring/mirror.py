"""A reply that another process makes, as far as it is known here. One for all readers of this process."""

import asyncio
import contextlib
from uuid import UUID

import structlog

from tutoring import relay
from tutoring.actions.recovery import read_reply
from tutoring.live import LiveReply
from tutoring.production import in_thread
from tutoring.relay import News

log = structlog.get_logger(__name__)

# How often the row is read while nothing comes through the relay.
POLL_EVERY_S = 1.0


class Mirror:
    """`run` fills `reply` from the row, and between two looks at it from what the relay brings."""

    def __init__(self, generation_id: UUID, university_id: int) -> None:
        self.reply = LiveReply()
        self.has_looked = asyncio.Event()
        self._generation_id, self._university_id = generation_id, university_id
        # What the relay brought of places that the row has not come to yet, and where it begins.
        self._ahead, self._ahead_from = "", 0

    async def run(self) -> None:
        if not relay.is_on():
            await self._follow_row(None)
            return
        async with relay.listening(self._generation_id, self._university_id) as inbox:
            await self._follow_row(inbox)

    async def _follow_row(self, inbox: "asyncio.Queue[News] | None") -> None:
        while not await self._look():
            if inbox is None:
                await asyncio.sleep(POLL_EVERY_S)
            else:
                await self._hear(inbox)

    async def _look(self) -> bool:
        """Read the row; whether it has ended."""
        try:
            saved = await in_thread(read_reply)(self._generation_id, self._university_id)
        except Exception:
            # A database that is away for a moment: the readers wait, as they do for a tutor that thinks.
            log.exception("tutor_reply_not_read", generation=str(self._generation_id))
            return False
        self.reply.append(saved.body[self.reply.length :])
        if saved.ending:
            self.reply.end(saved.ending, saved.body)
        self.has_looked.set()
        return saved.ending is not None

    async def _hear(self, inbox: "asyncio.Queue[News]") -> None:
        """Take what the relay brings until it says that the reply has ended, is silent, or has left a gap for long."""
        gap_until = asyncio.get_running_loop().time() + POLL_EVERY_S
        with contextlib.suppress(TimeoutError):
            while True:
                news = await asyncio.wait_for(inbox.get(), POLL_EVERY_S)
                if news["event"] != "delta":
                    return
                self._take(news["from"], news["text"])
                if self._ahead and asyncio.get_running_loop().time() >= gap_until:
                    return

    def _take(self, offset: int, text: str) -> None:
        """Join it on, or keep it until everything before it is here."""
        if offset != self._ahead_from + len(self._ahead):
            self._ahead, self._ahead_from = "", offset
        self._ahead += text
        if self._ahead_from <= self.reply.length:
            self.reply.append(self._ahead[self.reply.length - self._ahead_from :])
            self._ahead, self._ahead_from = "", self.reply.length
