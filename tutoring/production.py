"""One reply in the making: reads the provider's stream into memory and writes the end to the rows."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import ParamSpec, TypeVar

import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.utils import timezone

from tutoring import tracing
from tutoring.actions.budgets import Spent
from tutoring.actions.generations import Lease, Outcome, Progress, finish_generation
from tutoring.actions.recovery import read_reply
from tutoring.actions.sending import Sent
from tutoring.briefing import estimate_tokens
from tutoring.events import Ending
from tutoring.live import LiveReply
from tutoring.providers.costs import cost_usd, estimated_usage
from tutoring.providers.protocol import (
    Answering,
    Finished,
    Part,
    Provider,
    ProviderError,
    TextDelta,
    TutorRequest,
    Usage,
)

log = structlog.get_logger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

# So much unsaved text is saved at once.
SAVE_AT_CHARACTERS = 2000
# A reply without new text renews its lease, and looks whether it should stop, this often.
RENEW_EVERY_S = 1.0
# Between the tries to write a reply's end: for as long as another PostgreSQL takes to stand in for the first.
END_PAUSES_S = (0.2, 0.5, 1, 2, *[4] * 14)


class Production:
    """`wants_saving` is called when much text has come; whoever saves asks `progress` and tells `was_saved`."""

    def __init__(self, sent: Sent, request: TutorRequest, owner: str, wants_saving: Callable[[], None]) -> None:
        self.sent = sent
        self.request = request
        self.lease = Lease(university=sent.university, generation=sent.generation, reply=sent.reply, owner=owner)
        self.reply = LiveReply()
        self.provider, self.model, self.tries = sent.provider, request.model, 0
        self.outcome: Outcome | None = None
        self.first_text_at: datetime | None = None
        self._wants_saving = wants_saving
        self._started_at = time.monotonic()
        self._ttft_ms: int | None = None
        self._finished: Finished | None = None
        self._usage = Usage()
        self._is_stopping = False
        self._reading: asyncio.Task[None] | None = None
        self._saved_length = 0
        self._saved_at = self._started_at
        self._log = log.bind(generation=str(sent.generation), session=str(sent.session))

    def stop(self) -> None:
        self._is_stopping = True
        if self._reading:
            self._reading.cancel()

    def interrupt(self) -> None:
        """End it as interrupted: the process goes away."""
        if self._reading:
            self._reading.cancel()

    @property
    def is_due(self) -> bool:
        """Whether there is something to save, or the lease to renew."""
        return self.reply.length > self._saved_length or time.monotonic() - self._saved_at >= RENEW_EVERY_S

    def progress(self) -> Progress:
        body = self.reply.text_from(0)
        return Progress(self.lease, body, self.provider, self.model, self._usage, self.tries)

    def was_saved(self, progress: Progress, *, may_go_on: bool) -> None:
        self._saved_length, self._saved_at = len(progress.body), time.monotonic()
        if not may_go_on:
            # Asked to stop, or the lease is somebody else's: then the end below changes nothing.
            self.stop()

    async def run(self, open_provider: Callable[[], Provider]) -> None:
        """Never raises: nobody awaits it, so every failure ends in the row, the log and the readers' `done`."""
        self._reading = asyncio.create_task(self._read(open_provider))
        if self._is_stopping:
            self._reading.cancel()
        state, code, stop_reason = await self._outcome()
        outcome = Outcome(
            state=state,
            code=code,
            stop_reason=stop_reason,
            spent=self._spent(code),
            ttft_ms=self._ttft_ms,
            tries=self.tries,
            trace_id=tracing.trace_id_of(self.sent.generation),
        )
        ending, body = await self._write_end(outcome)
        self._log.info(
            "tutor_reply_ended",
            state=ending.state,
            code=ending.code,
            length=self.reply.length,
            provider=self.provider,
            model=self.model,
            tries=self.tries,
            ttft_ms=self._ttft_ms,
            took_ms=round((time.monotonic() - self._started_at) * 1000),
        )
        self.reply.end(ending, body)

    async def _outcome(self) -> tuple[str, str, str]:
        """State, error code and stop reason."""
        assert self._reading is not None  # noqa: S101 # for mypy: it was begun before it ends
        try:
            await self._reading
        except asyncio.CancelledError:
            return ("stopped", "", "stopped_by_student") if self._is_stopping else ("failed", "interrupted", "")
        except ProviderError as error:
            self._log.warning("tutor_reply_failed", code=error.code, detail=error.detail)
            return "failed", error.code, ""
        except Exception:
            self._log.exception("tutor_reply_broke")
            return "failed", "interrupted", ""
        # Cut to its column: a provider's new word must not cost the reply its end.
        return "complete", "", self._finished.stop_reason[:40] if self._finished else ""

    async def _read(self, open_provider: Callable[[], Provider]) -> None:
        try:
            provider = open_provider()
        except Exception as error:
            # A certificate that cannot be read, a proxy that makes no sense: nothing was asked.
            raise ProviderError("provider_down", f"not opened: {error!r}") from error
        async with contextlib.aclosing(provider.stream(self.request)) as stream:
            async for part in stream:
                self._take(part)

    def _take(self, part: Part) -> None:
        match part:
            case TextDelta(text):
                self._take_text(text)
            case Usage():
                self._usage = part
            case Answering(provider, model, tries):
                self.provider, self.model, self.tries = provider, model, tries
            case Finished(_, usage):
                self._finished, self._usage = part, usage

    def _take_text(self, text: str) -> None:
        if self._ttft_ms is None:
            self._ttft_ms = round((time.monotonic() - self._started_at) * 1000)
            self.first_text_at = timezone.now()
        # NUL is the one character that PostgreSQL's text cannot hold.
        self.reply.append(text.replace("\x00", ""))
        if self.reply.length - self._saved_length >= SAVE_AT_CHARACTERS:
            self._wants_saving()

    def _spent(self, code: str) -> Spent:
        usage, is_estimated = self._usage, False
        if self._finished is None:
            # Whoever stops before anything was counted has asked all the same. A provider that refused costs nothing.
            was_left = bool(self.tries) and code in ("", "interrupted")
            asked = estimate_tokens(self.request) if was_left or self.reply.length else 0
            usage, is_estimated = estimated_usage(usage, self.reply.text_from(0), asked_tokens=asked)
        is_free = self.provider == "practice" or usage == Usage()
        cost = None if is_free else cost_usd(usage, self.model, settings.TUTOR_PRICES)
        return Spent(self.provider, self.model, usage, cost, is_estimated)

    async def _write_end(self, outcome: Outcome) -> tuple[Ending, str | None]:
        """What readers are told is what the rows say, or will say when the lease has run out; with the row's text
        where that is not this one.

        A database that is away for a minute costs no word: meanwhile the keeper renews the lease as soon as it is back.
        """
        for pause_s in (*END_PAUSES_S, None):
            try:
                if await in_thread(finish_generation)(self.lease, self.reply.text_from(0), outcome):
                    self.outcome = outcome
                    return _ending(outcome), None
                self._log.warning("tutor_lease_lost")
                saved = await in_thread(read_reply)(self.lease.generation, self.lease.university)
                return saved.ending or _interrupted(outcome), saved.body
            except Exception:
                self._log.exception("tutor_reply_end_not_saved")
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        return _interrupted(outcome), None


def _ending(outcome: Outcome) -> Ending:
    usage = outcome.spent.usage.as_columns()
    return Ending(state=outcome.state, code=outcome.code, stop_reason=outcome.stop_reason, usage=usage)


def _interrupted(outcome: Outcome) -> Ending:
    return Ending(state="failed", code="interrupted", usage=_ending(outcome).usage)


def in_thread(function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """In a thread of its own: many replies are saved at once, and none waits for another's."""
    threaded: Callable[P, Awaitable[R]] = database_sync_to_async(function, thread_sensitive=False)
    return threaded
