"""Any sequence of sign-ins, refreshes, sign-outs and closed accounts: a token opens what a model says."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tenants import actions, tokens
from tenants.errors import BadToken
from tenants.models import TokenFamily, User
from tests.factories import make_user
from tests.security.matrix.runner import undone

ACCESS, REFRESH = timedelta(minutes=30), timedelta(days=7)
NOW = "django.utils.timezone.now"


@dataclass
class Family:
    """What the model knows of one sign-in. `newest` is the number of the one refresh token that is good."""

    newest: int = 0
    is_dead: bool = False
    ends_at: Any = None
    pairs: list[tuple[tokens.TokenPair, Any]] = field(default_factory=list)


class TokenMachine(RuleBasedStateMachine):
    families = Bundle("families")

    def __init__(self) -> None:
        super().__init__()
        self.clock = timezone.now()
        self.patch = patch(NOW, lambda: self.clock)
        # PyJWT reads a clock of its own.
        self.jwt_clock = patch("jwt.api_jwt.datetime", self._datetime())
        self.patch.start()
        self.jwt_clock.start()
        self.undone = undone()
        self.undone.__enter__()
        self.all: list[Family] = []
        self.is_active = True
        self.user: User = make_user("sam@machine.example", "Sam")

    def teardown(self) -> None:
        self.jwt_clock.stop()
        self.patch.stop()
        self.undone.__exit__(None, None, None)

    def _datetime(self) -> Any:
        import datetime

        machine = self

        class Clock(datetime.datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return machine.clock

        return Clock

    @initialize(target=families)
    def begin(self) -> Family:
        return self.sign_in()

    @precondition(lambda self: self.is_active and len(self.all) < 4)
    @rule(target=families)
    def sign_in_again(self) -> Family:
        return self.sign_in()

    def sign_in(self) -> Family:
        family = Family(ends_at=self.clock + REFRESH)
        family.pairs.append((tokens.start_family(self.user), self.clock))
        self.all.append(family)
        return family

    @rule(family=families, times=st.integers(1, 3))
    def refresh_with_the_newest(self, family: Family, times: int) -> None:
        for _ in range(times):
            self._refresh(family, family.newest)

    @rule(family=families, data=st.data())
    def refresh_with_any(self, family: Family, data: st.DataObject) -> None:
        self._refresh(family, data.draw(st.integers(0, family.newest)))

    def _refresh(self, family: Family, number: int) -> None:
        pair, made_at = family.pairs[number]
        is_readable = self.clock < _whole_seconds(made_at) + REFRESH
        is_live = not family.is_dead and self.clock < family.ends_at
        if is_readable and is_live and number == family.newest and self.is_active:
            family.pairs.append((tokens.refresh(pair.refresh_token), self.clock))
            family.newest, family.ends_at = number + 1, self.clock + REFRESH
            return
        try:
            tokens.refresh(pair.refresh_token)
        except BadToken:
            # One that was spent before, by whomever: none of that sign-in is good any more.
            family.is_dead = family.is_dead or (is_readable and number != family.newest)
            return
        raise AssertionError("a dead or spent token was refreshed")

    @rule(family=families, kind=st.sampled_from(["access_token", "refresh_token"]), data=st.data())
    def sign_out(self, family: Family, kind: str, data: st.DataObject) -> None:
        pair, made_at = family.pairs[data.draw(st.integers(0, family.newest))]
        lives = ACCESS if kind == "access_token" else REFRESH
        try:
            tokens.end_family(getattr(pair, kind))
            assert self.clock < _whole_seconds(made_at) + lives
            family.is_dead = True
        except BadToken:
            assert self.clock >= _whole_seconds(made_at) + lives

    @rule(hours=st.sampled_from([0.1, 0.6, 24 * 6.5]))
    def time_passes(self, hours: float) -> None:
        self.clock += timedelta(hours=hours)

    @precondition(lambda self: self.is_active and len(self.all) > 1)
    @rule()
    def change_password(self) -> None:
        actions.change_password(by=self.user, user=self.user, password="another horse battery")
        self._all_are_dead()

    @precondition(lambda self: not self.is_active or len(self.all) > 1)
    @rule()
    def close_or_open_the_account(self) -> None:
        self.is_active = not self.is_active
        actions.set_active(by=self.user, user=self.user, is_active=self.is_active)
        if not self.is_active:
            self._all_are_dead()

    def _all_are_dead(self) -> None:
        for family in self.all:
            family.is_dead = True

    @invariant()
    def tokens_open_what_the_model_says(self) -> None:
        for family in self.all:
            for pair, made_at in family.pairs[-3:]:
                is_live = not family.is_dead and self.is_active and self.clock < family.ends_at
                expected = is_live and self.clock < _whole_seconds(made_at) + ACCESS
                assert _opens(pair.access_token) == expected

    @invariant()
    def one_refresh_token_is_good(self) -> None:
        assert TokenFamily.objects.filter(user=self.user).count() == len(self.all)
        live = TokenFamily.objects.filter(user=self.user, revoked_at=None, expires_at__gt=self.clock).count()
        assert live == sum(not family.is_dead and self.clock < family.ends_at for family in self.all)


def _whole_seconds(moment: Any) -> Any:
    """As tokens tell the time."""
    return moment.replace(microsecond=0)


def _opens(token: str) -> bool:
    try:
        return bool(tokens.user_for_access_token(token))
    except BadToken:
        return False


class Tokens(TestCase):
    def test_tokens(self) -> None:
        quick = settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(TokenMachine, settings=quick)
