"""A friend's link, taken back: in the process that was asked, in the other one, and on a page that is open."""

import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest

from lms.embedded_postgres import _binaries
from tests.faults.report import Fault, Judged
from tests.faults.stage import Place, Stage
from tests.faults.trial import Trial, in_thread

GONE_WITHIN_S = 1


@pytest.fixture(scope="module")
def two_processes(place: Place) -> Iterator[Stage]:
    """Without Redis: every request reads the row, so nothing needs to be told. Static files come from their sources."""
    with place.stage(servers=2, DEBUG="true") as stage:
        yield stage


def test_revoked_share_is_gone_in_every_process(two_processes: Stage, fault: Fault, judged: Judged):
    stage = two_processes

    async def scenario(trial: Trial) -> None:
        trial.will(trial.answer(20))
        ask = await trial.ask()
        await trial.of(ask).converse(ask)
        share, token = await in_thread(_share, stage, ask.session, ask.student)
        pages = [f"{server.url}/{path}{token}" for server in stage.servers for path in ("share/", "api/v1/chat/share/")]
        assert await in_thread(_statuses, pages) == [200] * len(pages)
        dump = await in_thread(_dump, stage)
        assert (share.encode() in dump, token.encode() in dump) == (True, False)

        began = time.monotonic()
        api = f"{stage.servers[1].url}/api/v1/chat/shares/{share}"
        headers = {"Authorization": f"Bearer {stage.token(ask.student)}"}
        assert (await in_thread(_delete, api, headers)).status_code == 204
        assert await in_thread(_statuses, pages) == [404] * len(pages)
        took_s = time.monotonic() - began
        assert took_s < GONE_WITHIN_S
        fault.note = f"gone in both processes after {took_s:.2f} s; no token in a dump of {len(dump) // 1000} kB"

    for chance in fault.chances():
        judged(Trial(stage, chance).run(scenario))


def _share(stage: Stage, session: str, email: str) -> tuple[str, str]:
    """Id and token."""
    url = f"{stage.server.url}/api/v1/chat/sessions/{session}/shares"
    headers = {"Authorization": f"Bearer {stage.token(email)}"}
    answer = httpx.post(url, json={"days": 1}, headers=headers, trust_env=False, timeout=30)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], answer.json()["url"].rstrip("/").rpartition("/")[2]


def _delete(url: str, headers: dict[str, str]) -> httpx.Response:
    return httpx.delete(url, headers=headers, trust_env=False, timeout=30)


def _statuses(urls: list[str]) -> list[int]:
    with httpx.Client(trust_env=False, timeout=30, follow_redirects=True) as client:
        return [client.get(url).status_code for url in urls]


def _dump(stage: Stage) -> bytes:
    """All that the database holds, as a backup has it."""
    address = stage.postgres.url("postgres", stage.database)
    return subprocess.run([_binaries() / "pg_dump", "--data-only", address], capture_output=True, check=True).stdout
