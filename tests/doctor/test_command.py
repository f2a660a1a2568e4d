"""`manage.py doctor`: what it prints of a whole installation and of broken ones, and how it ends."""

import json
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from lms.courses.models import Module
from tests.database import empty_database
from tests.world import World

ROOT = Path(__file__).resolve().parent.parent.parent
CANARY = "zugzwang-is-secret"


def run(*arguments: str) -> tuple[str, str]:
    """What it printed, and why it failed."""
    output = StringIO()
    try:
        call_command("doctor", *arguments, stdout=output)
    except CommandError as error:
        return output.getvalue(), str(error)
    return output.getvalue(), ""


class TestCommand:
    def test_a_whole_installation(self, whole: World) -> None:
        version = "{}.{}".format(*divmod(connection.pg_version, 10_000))
        assert run() == (
            f"ok    database          The embedded PostgreSQL {version} answers.\n"
            "ok    application role  colloquy_test owns nothing and has no rights beyond its tables.\n"
            "ok    owner             colloquy_owner can sign in, to migrate.\n"
            "ok    platform          colloquy_platform can sign in, to see all universities.\n"
            "warn  pool              Without a pool each request opens a connection: set DATABASE_POOL_SIZE.\n"
            "ok    migrations        All are applied.\n"
            "ok    walls             Every table of a university has its wall, and every door is known.\n"
            "ok    content types     6 are loaded.\n"
            "ok    prompts           Every label compiles.\n"
            "ok    lesson prompts    Every published item's prompt compiles; 2 are in use.\n"
            "ok    course trees      All are whole.\n"
            "ok    replies           None waits for a process that is gone.\n"
            "warn  secrets           DEBUG is on: whoever sees the source knows the secrets. Never so on an open"
            " network.\n"
            "ok    addresses         http://127.0.0.1:8000 is among the allowed hosts.\n"
            "ok    static files      Served from the source folders.\n"
            "ok    media files       The storage can be written.\n"
            "ok    mail              Mail goes to the console and to nobody: set EMAIL_HOST.\n"
            "ok    redis             Not used, which is right for one process.\n"
            "ok    tutor             The practice tutor answers from the lesson itself: TUTOR_PROVIDER is practice.\n"
            "ok    failover          Not set: when the provider is down, nobody answers.\n"
            "ok    prices            The practice tutor costs nothing.\n"
            "ok    langfuse          Off: there are no keys.\n",
            "",
        )

    def test_json_says_the_same(self, whole: World) -> None:
        lines = [re.split(r"\s{2,}", line, maxsplit=2) for line in run()[0].splitlines()]
        body = json.loads(run("--json")[0])
        assert body == {
            "ok": True,
            "checks": [{"name": name, "state": state, "sentence": text} for state, name, text in lines],
        }

    def test_the_documentation_shows_the_same_checks(self, whole: World) -> None:
        line = re.compile(r"^(?:ok|warn|fail)\s+(\S+(?: \S+)*)  ", re.MULTILINE)
        assert line.findall((ROOT / "docs" / "operations.md").read_text()) == line.findall(run()[0])

    def test_one_broken_part_fails_the_whole(self, whole: World) -> None:
        Module.objects.filter(pk=whole.lesson.pk).update(lft=99)
        output, failure = run("--json")
        assert failure == "1 of 22 checks failed: course trees."
        assert (json.loads(output)["ok"], [c for c in json.loads(output)["checks"] if c["state"] == "fail"]) == (
            False,
            [
                {
                    "name": "course trees",
                    "state": "fail",
                    "sentence": "1 modules stand wrongly: run manage.py check_trees --fix.",
                }
            ],
        )

    def test_prints_no_secret_of_a_broken_installation(
        self, whole: World, settings: Any, closed_port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.SECRET_KEY = settings.JWT_SIGNING_KEY = CANARY
        settings.DEBUG = False
        settings.TUTOR_PROVIDER, settings.ANTHROPIC_API_KEY = "anthropic", CANARY
        settings.ANTHROPIC_BASE_URL = f"http://user:{CANARY}@127.0.0.1:{closed_port}"
        settings.LANGFUSE_PUBLIC_KEY = settings.LANGFUSE_SECRET_KEY = CANARY
        settings.LANGFUSE_HOST = settings.ANTHROPIC_BASE_URL
        settings.REDIS_URL = f"redis://:{CANARY}@127.0.0.1:{closed_port}"
        settings.EMAIL_HOST_PASSWORD = CANARY
        for alias in ("default", "owner"):
            monkeypatch.setitem(connections[alias].settings_dict, "PASSWORD", CANARY)
        output, failure = run()
        assert CANARY not in output + failure
        assert failure == "4 of 22 checks failed: database, secrets, redis, tutor."
        assert 'password authentication failed for user "colloquy_test"' in output

    def test_a_check_that_breaks_is_a_finding_of_its_own(self, whole: World, settings: Any) -> None:
        settings.ALLOWED_HOSTS = None
        output, failure = run()
        assert failure == "1 of 22 checks failed: addresses."
        assert "fail  addresses         The check itself broke, with TypeError.\n" in output

    def test_a_database_without_tables_ends_the_process_with_1(self) -> None:
        with empty_database("doctor") as addresses:
            command = [sys.executable, "manage.py", "doctor", "--json"]
            done = subprocess.run(command, cwd=ROOT, env=os.environ | addresses, capture_output=True, text=True)
        checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
        assert (done.returncode, done.stderr) == (1, "CommandError: 1 of 22 checks failed: migrations.\n")
        assert checks["database"]["sentence"].startswith("Your own PostgreSQL ")
        assert re.sub(r"\d+ to", "N to", checks["migrations"]["sentence"]).startswith("N to apply, from ")
        assert [check["sentence"] for check in checks.values() if check["state"] == "warn"][1:7] == [
            "Not looked at, because the tables are not up to date."
        ] * 6
