"""A circuit breaker: who fails again and again is left alone for a while, then tried with one request at a time."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import structlog

from tutoring.providers.protocol import ErrorCode, ProviderError

log = structlog.get_logger(__name__)

# That the provider cannot answer now. The other codes tell of one request or of one reply.
UNAVAILABLE: tuple[ErrorCode, ...] = ("overloaded", "rate_limited", "timeout", "provider_down")


@dataclass(frozen=True)
class BreakerPolicy:
    """So many failures within `within_s` seconds open a breaker for `open_s`."""

    failures: int = 5
    within_s: float = 30
    open_s: float = 15


class BreakerOpen(ProviderError):
    """Nothing was asked. The code is the last failure's, one of UNAVAILABLE; a trial is due in `retry_after_s`."""


class Breaker:
    """Of one provider and model. `now` is a clock in seconds that never goes back."""

    def __init__(self, provider: str, model: str, policy: BreakerPolicy, now: Callable[[], float]) -> None:
        self._policy = policy
        self._now = now
        self._failed_at: deque[float] = deque(maxlen=policy.failures)
        # None while closed. In the past: half open, so a trial is due or under way.
        self._open_until: float | None = None
        self._is_trying = False
        self._last_code: ErrorCode = "provider_down"
        self._log = log.bind(provider=provider, model=model)

    def admit(self) -> "Admission":
        """The right to make one request; raises BreakerOpen."""
        if self._open_until is None:
            return Admission(self, is_trial=False)
        left_s = self._open_until - self._now()
        if left_s > 0 or self._is_trying:
            raise BreakerOpen(self._last_code, "not asked: its breaker is open", retry_after_s=max(left_s, 0))
        self._is_trying = True
        return Admission(self, is_trial=True)

    def close(self) -> None:
        self._open_until = None
        self._is_trying = False
        self._failed_at.clear()
        self._log.info("tutor_upstream_breaker_closed")

    def free_trial(self) -> None:
        self._is_trying = False

    def failed(self, code: ErrorCode, *, is_trial: bool) -> None:
        self._last_code = code if code in UNAVAILABLE else "provider_down"
        self._failed_at.append(self._now())
        # What began before the breaker opened and fails later must not keep it open longer.
        if is_trial or (self._open_until is None and self._fails_often()):
            self._open_until = self._now() + self._policy.open_s
            self._log.warning("tutor_upstream_breaker_opened", code=code, open_s=self._policy.open_s)

    def _fails_often(self) -> bool:
        is_full = len(self._failed_at) == self._policy.failures
        return is_full and self._now() - self._failed_at[0] <= self._policy.within_s


class Admission:
    """One request, as a context. An error that leaves it counts if it tells of the provider, not of the request."""

    def __init__(self, breaker: Breaker, *, is_trial: bool) -> None:
        self._breaker = breaker
        self._is_trial = is_trial
        self._has_text = False

    def __enter__(self) -> "Admission":
        return self

    def succeeded(self) -> None:
        """Call it with the first text: a trial need not wait for the reply's end."""
        self._has_text = True
        if self._is_trial:
            self._is_trial = False
            self._breaker.close()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._is_trial:
            self._breaker.free_trial()
        if isinstance(error, ProviderError) and self._is_a_sign(error):
            self._breaker.failed(error.code, is_trial=self._is_trial)

    def _is_a_sign(self, error: ProviderError) -> bool:
        """That the provider is in trouble. A reply that was too long for its time limit is none."""
        if error.code == "timeout" and self._has_text:
            return False
        return error.retryable or error.code in ("provider_down", "timeout")
