"""The second wall as it is in production: three roles, each with a login, a pool, and no transaction of a test."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lms.embedded_postgres import _binaries
from tests.database import empty_database

ROOT = Path(__file__).resolve().parent.parent.parent
NO_RIGHT, NO_ROW = "InsufficientPrivilege", "0"


@pytest.fixture(scope="module")
def demo() -> Iterator[dict[str, str]]:
    """The environment of a process with the demonstration in its database."""
    with empty_database("roles") as addresses:
        environment = os.environ | addresses | {"DATABASE_POOL_SIZE": "1", "DJANGO_SETTINGS_MODULE": "lms.settings"}
        for command in (["migrate", "--verbosity=0"], ["load_demo"]):
            run(environment, "manage.py", *command)
        yield environment


@pytest.fixture(scope="module")
def behind_walls(demo: dict[str, str]) -> Any:
    return json.loads(run(demo | {"PYTHONPATH": str(ROOT)}, "tests/tenants/behind_walls.py"))


def run(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_outside_a_university_there_is_nothing(behind_walls: Any) -> None:
    """But the platform's prompts, which all read."""
    shared = {table: [None] for table in ("prompts_prompt", "prompts_promptlabel", "prompts_promptversion")}
    shared["prompts_promptlabelmove"] = [None]
    assert behind_walls["outside"] == [shared, " colloquy_app"]
    assert behind_walls["on a visit"] == shared


def test_inside_one_there_is_only_its_own(behind_walls: Any) -> None:
    north, south = behind_walls["universities"]
    both = {table for table, universities in behind_walls["everywhere"].items() if {north, south} <= {*universities}}
    # What the demonstration has none of is seen to by the matrix.
    assert both >= {"courses_course", "courses_module", "courses_contentitem", "learning_enrollment"}
    seen = {table: [u for u in universities if u] for table, universities in behind_walls["at North"].items()}
    assert {table: seen[table] for table in both} == {table: [north] for table in both}
    assert {u for universities in seen.values() for u in universities} == {north}


def test_nothing_is_left_in_the_pool(behind_walls: Any) -> None:
    assert behind_walls["after a rollback"] == [1, 0]
    assert behind_walls["after a savepoint"] == [1]
    assert behind_walls["at the end"] == " colloquy_app"


def test_what_may_not_be_written(behind_walls: Any) -> None:
    assert behind_walls["writes"] == {
        "add": NO_RIGHT,
        "move": NO_RIGHT,
        "change": NO_ROW,
        "delete": NO_ROW,
        "point": "ForeignKeyViolation",
        "found a university": NO_RIGHT,
        "read the platform's log": NO_ROW,
        "make a shared prompt": NO_RIGHT,
        "become the platform": NO_RIGHT,
        "take down a wall": NO_RIGHT,
    }


def test_the_platform_sees_all_and_is_recorded(behind_walls: Any) -> None:
    assert behind_walls["as the platform"] == " colloquy_platform"
    assert behind_walls["recorded"] == ["manage.py load_demo", "a test", "to read what was recorded"]


def test_the_system_checks_find_nothing(demo: dict[str, str]) -> None:
    said = run(demo, "manage.py", "check", "--database", "default")
    assert said == "System check identified no issues (1 silenced).\n"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("DATABASE_OWNER_URL", "The application's role colloquy_owner owns tables, such as "),
        ("DATABASE_PLATFORM_URL", "The application's role colloquy_platform is the platform's, whom the policies let"),
    ],
)
def test_a_server_with_the_wrong_role_does_not_start(demo: dict[str, str], address: str, sentence: str) -> None:
    command = [sys.executable, "manage.py", "serve", "--port", "65123"]
    environment = demo | {"DATABASE_URL": demo[address], "LOG_LEVEL": "INFO"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert sentence in done.stdout + done.stderr
    assert done.returncode == 3


@pytest.mark.parametrize(
    ("address", "arguments", "outcome"),
    [
        ("DATABASE_PLATFORM_URL", ["--enable-row-security"], (0, 2)),
        ("DATABASE_OWNER_URL", [], (1, 0)),
    ],
)
def test_a_dump_is_whole_or_fails(
    demo: dict[str, str], address: str, arguments: list[str], outcome: tuple[int, int]
) -> None:
    """Rows of courses in it: one of each university, or none and an error."""
    command = [_binaries() / "pg_dump", "--data-only", "--table=courses_course", *arguments, demo[address]]
    done = subprocess.run(command, capture_output=True, text=True)
    rows = done.stdout.partition("FROM stdin;\n")[2].partition("\\.")[0].splitlines()
    assert (done.returncode, len(rows)) == outcome
