"""Traces of the tutor's replies, and their thumbs, for Langfuse. Off without keys.

Nothing here waits or raises. What is handed over goes through a bounded queue to a thread of its own and from there to
the SDK's threads, whose queues are bounded too: where Langfuse is dead or slow, traces are lost and nothing else is.
"""

import atexit
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from queue import Full, Queue
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from django.conf import settings
from django.utils.crypto import salted_hmac

from tutoring.providers.protocol import Usage

if TYPE_CHECKING:
    from tutoring.langfuse_client import LangfuseClient

log = structlog.get_logger(__name__)

QUEUE_LENGTH = 1000
COMPLAIN_EVERY_S = 3600.0

_Job = Callable[["LangfuseClient"], None]


@dataclass(frozen=True, kw_only=True)
class ReplyTrace:
    """One ended reply. Only question and reply are students' words; they are sent where TUTOR_TRACE_TEXTS allows it.

    `university` is its slug, `course` and `content_item` are titles, `prompt_versions` is the generation's own list,
    `user_key` never leaves this process, `first_text_at` is None for a reply without text.
    """

    generation: UUID
    session: UUID
    user_key: int
    university: str
    course: str
    content_item: str = ""
    hint_policy: str
    provider: str
    model: str
    prompt_name: str
    prompt_version: int | None
    prompt_versions: Sequence[Mapping[str, Any]] = ()
    started_at: datetime
    first_text_at: datetime | None
    ended_at: datetime
    state: str
    error_code: str = ""
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal | None = None
    tries: int = 1
    question: str = ""
    reply: str = ""


def is_on() -> bool:
    return bool(settings.LANGFUSE_PUBLIC_KEY and settings.LANGFUSE_SECRET_KEY)


def trace_id_of(generation_id: UUID) -> str:
    """The id of a generation's trace, 32 hex digits, whether or not it was sent yet; "" while tracing is off."""
    return generation_id.hex if is_on() else ""


def trace_reply(trace: ReplyTrace) -> str:
    """Hand over one reply that has ended; its trace's id, or "" while tracing is off."""
    if not is_on():
        return ""
    user = _pseudonym(trace.user_key)
    trace = replace(trace, question=_shareable(trace.question), reply=_shareable(trace.reply))
    _hand_over(lambda client: client.record(trace, user=user))
    return trace.generation.hex


def score_reply(*, generation_id: UUID, value: int, comment: str) -> None:
    """Hand over a student's thumb, 1 up or -1 down, as the trace's boolean score `thumbs`: true is up.

    A thumb that is given again replaces the first. The comment goes along where TUTOR_TRACE_TEXTS allows it.
    """
    if not is_on():
        return
    words = _shareable(comment)
    _hand_over(lambda client: client.score(generation_id, is_up=value > 0, comment=words))


def shut_down(timeout_s: float = 3) -> None:
    """Send what waits and stop, within the time given: what Langfuse has not taken by then is lost.

    Blocks; for the end of a process, and for tests. A trace that comes later starts all anew.
    """
    global _recorder
    with _starting:
        recorder, _recorder = _recorder, None
    if recorder:
        recorder.close(timeout_s)


def _pseudonym(user_key: int) -> str:
    """The same for all replies to one person under one SECRET_KEY, and no way back without it."""
    return salted_hmac("tutoring.tracing", str(user_key), algorithm="sha256").hexdigest()[:16]


def _shareable(text: str) -> str:
    """The text where texts may leave the university, else nothing.

    Half a surrogate pair, which JSON can carry, cannot be encoded and would cost a whole batch of traces.
    """
    return text.encode("utf-8", "replace").decode() if settings.TUTOR_TRACE_TEXTS else ""


class Complaints(logging.Handler):
    """What goes wrong, as one warning for each kind of trouble in an hour.

    The SDK and OpenTelemetry write a line, or a traceback, for each batch that fails: a Langfuse that is down for a
    night would fill the log.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._clock = clock
        self._quiet_until: dict[str, float] = {}
        self._deciding = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        # That a try failed and another follows; the last one is an error.
        if record.levelno < logging.ERROR and record.name.startswith("opentelemetry.exporter"):
            return
        self.complain(f"{record.name}: {record.msg}", record.getMessage())

    def complain(self, kind: str, detail: str) -> None:
        with self._deciding:
            now = self._clock()
            if now < self._quiet_until.get(kind, now):
                return
            self._quiet_until[kind] = now + COMPLAIN_EVERY_S
        log.warning("langfuse_trouble", host=settings.LANGFUSE_HOST, detail=detail[:300])

    def listen(self) -> None:
        """Take the place of every other handler of the libraries' loggers, with nothing said yet."""
        self._quiet_until.clear()
        for name in ("langfuse", "opentelemetry"):
            logger = logging.getLogger(name)
            logger.addHandler(self)
            logger.propagate = False


class _Recorder:
    """The thread that owns the SDK's client. It also builds it, which with the import takes a third of a second."""

    def __init__(self) -> None:
        self._jobs: Queue[_Job | None] = Queue(QUEUE_LENGTH)
        keys = (settings.LANGFUSE_HOST, settings.LANGFUSE_PUBLIC_KEY, settings.LANGFUSE_SECRET_KEY)
        self._thread = threading.Thread(target=self._run, args=keys, name="langfuse", daemon=True)
        self._thread.start()

    def hand_over(self, job: _Job) -> None:
        try:
            self._jobs.put_nowait(job)
        except Full:
            _complaints.complain("queue", "more came than could be taken: traces are lost")

    def close(self, timeout_s: float) -> None:
        ends_at = time.monotonic() + timeout_s
        try:
            self._jobs.put(None, timeout=timeout_s)
            self._thread.join(max(0.0, ends_at - time.monotonic()))
        except Full:
            pass
        if self._thread.is_alive():
            _complaints.complain("end", "not everything was sent before the end: traces are lost")

    def _run(self, host: str, public_key: str, secret_key: str) -> None:
        try:
            _complaints.listen()
            from tutoring.langfuse_client import LangfuseClient

            client = LangfuseClient(host=host, public_key=public_key, secret_key=secret_key)
        except Exception as error:
            _complaints.complain("start", f"tracing could not be started: {error!r}")
            return
        while job := self._jobs.get():
            self._attempt(job, client)
        self._attempt(LangfuseClient.close, client)

    def _attempt(self, job: _Job, client: "LangfuseClient") -> None:
        try:
            job(client)
        except Exception as error:
            # The error's own words might be a student's.
            name = type(error).__name__
            _complaints.complain(f"job: {name}", f"a trace could not be made: {name}")


def _hand_over(job: _Job) -> None:
    global _recorder
    try:
        with _starting:
            _recorder = _recorder or _Recorder()
            _recorder.hand_over(job)
    except RuntimeError as error:
        _complaints.complain("thread", f"tracing has no thread: {error!r}")


_complaints = Complaints()
_starting = threading.Lock()
_recorder: _Recorder | None = None
atexit.register(shut_down)
