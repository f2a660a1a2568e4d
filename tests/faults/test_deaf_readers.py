"""Readers that never read."""

import asyncio
import socket
import time

from tests.fakes.scripts import Gate
from tests.faults.deaf import deaf_over_socket, deaf_over_sse
from tests.faults.ledger import Ask, Reading
from tests.faults.report import Fault, Judged
from tests.faults.rig import Server
from tests.faults.stage import Stage
from tests.faults.test_upstream import ended
from tests.faults.trial import Trial, in_thread
from tests.faults.waiting import until

# Of each kind.
READERS = 20
# A reply of two megabytes, more than the kernel holds for a reader who does not read.
TEXTS, CHARACTERS = 1000, 2000
# A queue of the whole reply for each of them would be 80.
MOST_MB = 50
LET_GO_S = 30


def test_readers_that_never_read(stage: Stage, fault: Fault, judged: Judged):
    async def scenario(trial: Trial) -> None:
        server = stage.server
        # One with nobody deaf, so that the memory and the time that such a reply costs anyway are known.
        took_s, _ = await _heard(trial, deaf=None)
        opened_before = server.open_sockets()
        server.forget_peak()
        before_mb = server.peak_mb()
        deaf: list[socket.socket] = []
        try:
            took_beside_them_s, ask = await _heard(trial, deaf)
            grown = server.peak_mb() - before_mb
            fault.note = f"{len(deaf)} of them beside one who reads: +{grown:.0f} MB, {took_beside_them_s:.1f} s"
            fault.note += f" for the reply instead of {took_s:.1f}"
            assert grown < MOST_MB
            assert took_beside_them_s < 2 * took_s + 1
            await _let_go(server, opened_before, fault)
        finally:
            for each in deaf:
                each.close()
        # They come back as readers who read, and have missed nothing.
        assert ended(await trial.of(ask).converse(ask)) == ("complete", "")

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario))


async def _heard(trial: Trial, deaf: list[socket.socket] | None) -> tuple[float, Ask]:
    """How long a reply took to be read whole; beside READERS of each kind, when there is a list for them."""
    gate = Gate()
    texts = [text.ljust(CHARACTERS, ".") for text in trial.texts(TEXTS)]
    trial.will(trial.answer(texts=texts, pace_s=0.003, gate=gate))
    ask = await trial.ask()
    reading: asyncio.Task[Reading] = asyncio.create_task(trial.of(ask).converse(ask))
    await until(lambda: ask.ids is not None, 10, "acknowledgement")
    if deaf is not None:
        url, token = trial.stage.server.url, trial.stage.token(ask.student)
        for follow in (deaf_over_sse, deaf_over_socket):
            deaf += [await in_thread(follow, url, token, ask) for _ in range(READERS)]
    began_at = time.monotonic()
    gate.release()
    assert ended(await reading) == ("complete", "")
    return time.monotonic() - began_at, ask


async def _let_go(server: Server, opened_before: int, fault: Fault) -> None:
    """The server's side of their connections: theirs tells nothing to whoever does not read."""
    began_at = time.monotonic()
    await until(lambda: server.open_sockets() <= opened_before + 5, LET_GO_S + 15, "end of the connections")
    fault.note += f", let go after {time.monotonic() - began_at:.0f} s"
