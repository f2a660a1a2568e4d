"""The providers in their order, with what a reply needs beyond one request: retries, circuit breakers, failover."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import structlog

from tutoring.providers.breaker import UNAVAILABLE, Admission, Breaker, BreakerOpen, BreakerPolicy
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


@dataclass(frozen=True)
class RetryPolicy:
    """`tries` are per target. No try begins later than `within_s` seconds after the reply's first."""

    tries: int = 3
    within_s: float = 20
    first_pause_s: float = 0.5
    longest_pause_s: float = 5


@dataclass(frozen=True)
class Target:
    """A provider to ask. `models`: what it is asked for in place of a request's model, where that has another name."""

    provider: Provider
    models: Mapping[str, str] = field(default_factory=dict)


class Upstream:
    """A provider that asks the first target, and the next one when that cannot answer; never once text has come.

    `Answering` comes before each request to a target. A `Usage` sums up all requests of the reply, since one that
    failed may have cost something too: what was counted between two `Answering` belongs to the model of the first.
    `now` is a clock in seconds that never goes back; `uniform` draws a number between two others.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        retries: RetryPolicy | None = None,
        breakers: BreakerPolicy | None = None,
        now: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.name = targets[0].provider.name
        self._targets = targets
        self._retries = retries or RetryPolicy()
        self._breaker_policy = breakers or BreakerPolicy()
        self._now = now
        self._uniform = uniform
        self._breakers: dict[tuple[str, str], Breaker] = {}

    async def aclose(self) -> None:
        for target in self._targets:
            await target.provider.aclose()

    async def stream(self, request: TutorRequest) -> AsyncGenerator[Part, None]:
        reply = _Reply(request, self._targets, until=self._now() + self._retries.within_s)
        while True:
            try:
                async with aclosing(self._try(reply)) as parts:
                    async for part in parts:
                        yield part
                return
            except ProviderError as error:
                if reply.has_text:
                    raise
                await self._after(error, reply)

    async def _try(self, reply: "_Reply") -> AsyncGenerator[Part, None]:
        with self._breaker(**reply.who()).admit() as admission:
            yield reply.begin_try()
            async with aclosing(reply.provider.stream(reply.request)) as parts:
                async for part in parts:
                    yield reply.take(part, admission)

    async def _after(self, error: ProviderError, reply: "_Reply") -> None:
        """After a try without text: returns when it is time for the next one, or raises what the reply failed with."""
        told = reply.failed(error)
        entry = log.bind(**reply.who(), code=error.code, tries=reply.tries, detail=error.detail)
        pause_s = self._pause_s(error, reply)
        if pause_s is not None:
            entry.warning("tutor_upstream_retried", pause_s=round(pause_s, 3))
            await asyncio.sleep(pause_s)
            return
        if error.code not in UNAVAILABLE or self._now() > reply.until or not reply.has_next_target:
            raise told
        reply.turn_to_next_target()
        entry.warning("tutor_upstream_failed_over", **{f"to_{name}": value for name, value in reply.who().items()})

    def _pause_s(self, error: ProviderError, reply: "_Reply") -> float | None:
        """Until the same target is asked again; None where it is not."""
        if not error.retryable or reply.tries_of_target >= self._retries.tries:
            return None
        longest_s = min(self._retries.first_pause_s * 2 ** (reply.tries_of_target - 1), self._retries.longest_pause_s)
        pause_s = max(self._uniform(0, longest_s), error.retry_after_s or 0)
        return pause_s if self._now() + pause_s <= reply.until else None

    def _breaker(self, provider: str, model: str) -> Breaker:
        if (provider, model) not in self._breakers:
            self._breakers[provider, model] = Breaker(provider, model, self._breaker_policy, self._now)
        return self._breakers[provider, model]


class _Reply:
    """How far one reply has come. `until` is the last moment for a try to begin."""

    def __init__(self, request: TutorRequest, targets: Sequence[Target], until: float) -> None:
        self.until = until
        self.tries = 0
        self.tries_of_target = 0
        self.has_text = False
        self._asked = request
        self._target, *self._next_targets = targets
        self._error: ProviderError | None = None
        self._usage = self._usage_before_try = Usage()

    @property
    def provider(self) -> Provider:
        return self._target.provider

    @property
    def request(self) -> TutorRequest:
        """What the present target is asked."""
        return replace(self._asked, model=self._target.models.get(self._asked.model, self._asked.model))

    @property
    def has_next_target(self) -> bool:
        return bool(self._next_targets)

    def turn_to_next_target(self) -> None:
        self._target = self._next_targets.pop(0)
        self.tries_of_target = 0

    def who(self) -> dict[str, str]:
        return {"provider": self.provider.name, "model": self.request.model}

    def begin_try(self) -> Answering:
        self.tries += 1
        self.tries_of_target += 1
        self._usage_before_try = self._usage
        return Answering(**self.who(), tries=self.tries)

    def take(self, part: Part, admission: Admission) -> Part:
        """The part as the reader of the whole reply gets it."""
        if isinstance(part, TextDelta):
            if not self.has_text:
                self.has_text = True
                admission.succeeded()
            return part
        if isinstance(part, Usage):
            self._usage = self._usage_before_try + part
            return self._usage
        if isinstance(part, Finished):
            admission.succeeded()
            return replace(part, usage=self._usage_before_try + part.usage)
        return part

    def failed(self, error: ProviderError) -> ProviderError:
        """What to tell if nothing better comes: what a request really met is worth more than that none was made."""
        if self._error is None or not isinstance(error, BreakerOpen):
            self._error = error
        return self._error
