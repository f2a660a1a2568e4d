"""One round of one fault: its own chance, its own ledger, and what was so when it began."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, TypeVar

import httpx

from tests.fakes.scripts import Answer
from tests.faults.budgets import budget_gaps
from tests.faults.clients import Student, Way
from tests.faults.ledger import Ask, Ledger, Reading
from tests.faults.rig import Server
from tests.faults.stage import STUDENTS, Stage

T = TypeVar("T")

# Of one, two, three and four bytes, so that a position that counts anything but code points is found out.
_WORDS = ["sample", "mean", "Größe", "näher", "中央値", "بيانات", "σ²", "👩‍🔬", "📈", "varies", "less\n\n", "“bags”"]


class Trial:
    def __init__(self, stage: Stage, chance: Random) -> None:
        stage.start_what_is_down()
        self.stage, self.chance, self.ledger = stage, chance, Ledger()
        self.wrongs: list[str] = []
        # When a fault took what was not saved yet; None where none did.
        self.cut_at: float | None = None
        self.fault_over_at: float | None = None
        # Statuses and codes that a question may be refused with.
        self.may_be_refused: set[int | str] = set()
        self.log_sizes = {server: server.log_size() for server in stage.servers}
        self.budget_gaps = budget_gaps(stage)
        self._http: httpx.AsyncClient | None = None

    def run(self, scenario: Callable[["Trial"], Coroutine[Any, Any, None]]) -> "Trial":
        async def whole() -> None:
            # No connection is used twice: one that a killed server has left is no fault that is looked for here.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            timeout = httpx.Timeout(45, connect=5)
            async with httpx.AsyncClient(limits=limits, timeout=timeout, trust_env=False) as self._http:
                await scenario(self)

        try:
            asyncio.run(whole())
        except AssertionError as error:
            # The judge has the rest to say.
            self.wrongs.append(f"the scenario: {error}")
        self.stage.forget_script()
        self.fault_over_at = self.fault_over_at or time.time()
        return self

    def fault_over(self) -> None:
        """From here on everything has to come to an end by itself; without this it is the scenario's end."""
        self.fault_over_at = time.time()

    async def kill(self, server: Server) -> None:
        await in_thread(server.kill)
        self.cut_at = time.time()

    def student(self, email: str = STUDENTS[0], *urls: str) -> Student:
        """Their program; `urls` are the servers that it may turn to, all of the stage when none is named."""
        assert self._http
        known = urls or tuple(server.url for server in self.stage.servers)
        return Student(self._http, known, self.stage.token(email), self.ledger)

    def of(self, ask: Ask) -> Student:
        return self.student(ask.student)

    async def asks(self, count: int, students: int = 4) -> list[Ask]:
        """Questions that are not sent yet, each in a conversation of its own."""
        askers = STUDENTS[: min(students, count)]
        asks = []
        for number, email in enumerate(askers):
            await in_thread(self.stage.token, email)
            share = len(range(number, count, len(askers)))
            sessions = await in_thread(self.stage.begin_conversations, email, share)
            asks += [self.ledger.ask(session, email) for session in sessions]
        return asks

    async def ask(self) -> Ask:
        return (await self.asks(1))[0]

    async def again(self, ask: Ask) -> Ask:
        """Another question in the same conversation."""
        return self.ledger.ask(ask.session, ask.student)

    async def all_converse(self, asks: list[Ask], *ways: Way) -> list[Reading]:
        chosen = [self.chance.choice(ways or ("sse", "socket")) for _ in asks]
        return await asyncio.gather(*(self.of(ask).converse(ask, way) for ask, way in zip(asks, chosen, strict=True)))

    def texts(self, count: int) -> list[str]:
        """Words that no other answer has in this order, so that mixed replies are found out."""
        number = self.chance.randrange(10**9)
        return [f"{number}·{index} {self.chance.choice(_WORDS)} " for index in range(count)]

    def answer(self, count: int = 60, pace_s: float = 0.02, **how: Any) -> Answer:
        return Answer(**{"texts": self.texts(count), "delay_s": pace_s, **how})

    def will(self, *answers: Answer) -> None:
        self.stage.claude.will(*answers)


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.to_thread(function, *arguments)
