"""`make faults`. Without FAULT_ROUNDS nothing of this folder is collected."""

import os
import secrets
import shutil
import signal
from collections.abc import Iterator

import pytest

from tests.faults.judge import MOST_LOST_S, judge
from tests.faults.report import Fault, Judged, table
from tests.faults.rig import ROOT, running_postgres
from tests.faults.stage import Place, Stage
from tests.faults.trial import Trial

_FAULTS = pytest.StashKey[list[Fault]]()
_SEED = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FAULTS] = []
    config.stash[_SEED] = int(os.environ.get("FAULT_SEED") or secrets.randbelow(10**6))
    # A run that is told to end stops what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section(f"faults, SEED={config.stash[_SEED]}")
    for line in table(config.stash[_FAULTS]):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    # Not pytest's folder: the servers' logs stay until the next run of this suite, whatever else is tested meanwhile.
    folder = ROOT / ".data" / "faults"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with running_postgres() as postgres:
        place = Place(postgres, folder)
        place.prepare()
        yield place


@pytest.fixture(scope="session")
def stage(place: Place) -> Iterator[Stage]:
    """One server with the usual settings, for every module that needs no others."""
    with place.stage() as stage:
        yield stage


@pytest.fixture
def fault(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[Fault]:
    name = request.node.name.removeprefix("test_").replace("_", " ")
    fault = Fault(name, pytestconfig.stash[_SEED], int(os.environ.get("FAULT_ROUNDS") or 1))
    pytestconfig.stash[_FAULTS].append(fault)
    yield fault
    fault.end()


@pytest.fixture
def judged(fault: Fault) -> Judged:
    def judged(trial: Trial, *, expected: str = "", most_lost_s: float = MOST_LOST_S) -> None:
        verdict = judge(trial, expected=expected, most_lost_s=most_lost_s)
        fault.add(verdict, len(trial.ledger.acknowledged))
        if verdict.wrongs:
            pytest.fail(fault.said_of(verdict), pytrace=False)

    return judged
