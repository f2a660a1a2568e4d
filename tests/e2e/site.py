"""Starts the site as an operator would: commands, then uvicorn, all with settings from the environment."""

import contextlib
import html
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import sql

from lms.embedded_postgres import OWNER, Cluster
from tests.fakes.claude import FakeClaude

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "colloquy-demo"
SAM, TESS, OONA = "sam@north.example", "tess@north.example", "oona@south.example"

# One process for what an operator does in three, since starting Django is most of the cost.
_PREPARE = """
import django
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0)
call_command("load_demo")
call_command("collectstatic", interactive=False, verbosity=0)
"""
_SERVE = "manage.py serve"
_LESSON = re.compile(r'<a class="outline__link" href="([^"]+)"[^>]*>([^<]+)')


@dataclass
class Site:
    url: str
    folder: Path
    claude: FakeClaude
    environment: dict[str, str]
    _server: subprocess.Popen[bytes] | None = None
    _sign_ins: dict[str, dict[str, str]] = field(default_factory=dict)
    _lessons: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def manage(self, *arguments: str) -> str:
        """Run a management command against the site's database; what it printed."""
        return self._run("manage.py", *arguments)

    def sql(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """Rows of the site's database, read or changed behind its back."""
        with psycopg.connect(self.environment["DATABASE_PLATFORM_URL"], autocommit=True) as platform:
            cursor = platform.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def wait_for_row(self, query: str, *values: str) -> None:
        _wait_until(lambda: bool(self.sql(query, *values)), query)

    def prepare(self) -> None:
        self._run("-c", _PREPARE)
        # One student asks for all tests: no limit by the day.
        self.sql(
            "INSERT INTO tutoring_tutorpolicy (university_id, when_used_up, sharing, share_days)"
            " SELECT id, 'practice', 'link', 90 FROM tenants_university"
        )

    def start(self) -> None:
        port = self.url.rpartition(":")[2]
        with (self.folder / "server.log").open("a") as output:
            command = [sys.executable, *_SERVE.split(), "--port", port]
            self._server = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=output, stderr=output)
        _wait_until(self._answers, "answer")

    def stop(self) -> None:
        """Without any warning, as when a machine dies."""
        if self._server:
            self._server.kill()
            self._server.wait()

    def ask_to_go(self) -> None:
        """As in a deployment: replies in the making have time to end."""
        self._server.terminate()

    def wait_gone(self) -> None:
        assert self._server.wait(60) == 0, self.log

    def sign_in(self, email: str) -> dict[str, str]:
        """The cookies of somebody who has signed in, once for all tests."""
        if email not in self._sign_ins:
            with httpx.Client(base_url=self.url, timeout=60) as client:
                page = client.get("/accounts/login/").text
                token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
                form = {"login": email, "password": PASSWORD, "csrfmiddlewaretoken": token}
                assert client.post("/accounts/login/", data=form).headers.get("location") == "/"
                self._sign_ins[email] = dict(client.cookies)
        return self._sign_ins[email]

    def get(self, email: str, path: str, **headers: str) -> httpx.Response:
        """What a signed-in person's browser is sent for one address."""
        return httpx.get(f"{self.url}{path}", cookies=self.sign_in(email), headers=headers, timeout=60)

    def find(self, email: str, path: str, pattern: str) -> str:
        """The first group of the pattern's first match in a page."""
        found = re.search(pattern, self.get(email, path).text)
        assert found, f"{path} has nothing like {pattern}"
        return found.group(1)

    def post(self, email: str, path: str, **fields: str) -> httpx.Response:
        cookies = self.sign_in(email)
        form = fields | {"csrfmiddlewaretoken": cookies["csrftoken"]}
        return httpx.post(f"{self.url}{path}", cookies=cookies, data=form, timeout=60)

    def lessons(self, email: str = SAM, course: str = "/north/courses/thinking-with-data/") -> dict[str, str]:
        """Title to path of what stands in a course that the person studies."""
        if course not in self._lessons:
            links = _LESSON.findall(self.get(email, course).text)
            self._lessons[course] = {html.unescape(title): path for path, title in links}
        return self._lessons[course]

    def _run(self, *arguments: str) -> str:
        options: dict[str, Any] = {"cwd": ROOT, "env": self.environment, "capture_output": True, "text": True}
        done = subprocess.run([sys.executable, *arguments], **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _answers(self) -> bool:
        assert self._server.poll() is None, self.log
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/healthz").is_success
        return False


def _wait_until(is_so: Callable[[], bool], what: str) -> None:
    pause = threading.Event()
    for _ in range(1200):
        if is_so():
            return
        pause.wait(0.05)
    raise AssertionError(f"in a minute there was no {what}")


@contextmanager
def serve_site(folder: Path) -> Iterator[Site]:
    url = f"http://127.0.0.1:{_free_port()}"
    with FakeClaude() as claude, _database() as addresses:
        site = Site(url, folder, claude, _environment(url, folder, claude) | addresses)
        site.prepare()
        try:
            site.start()
            yield site
        finally:
            site.stop()


def _environment(url: str, folder: Path, claude: FakeClaude) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    return inherited | {
        "DJANGO_SETTINGS_MODULE": "lms.settings",
        "DEBUG": "false",
        "SECRET_KEY": "for-tests-" + "s" * 40,
        "JWT_SIGNING_KEY": "for-tests-" + "j" * 40,
        "SITE_URL": url,
        "DATA_DIR": str(folder / "data"),
        "EMAIL_FILE_PATH": str(folder / "mail"),
        "ANTHROPIC_API_KEY": "test-key",
        "ANTHROPIC_BASE_URL": claude.url,
        "TUTOR_TITLES": "false",
        # Nor by the minute.
        "TUTOR_SENDS_PER_MINUTE_PER_USER": "10000",
        "TUTOR_SENDS_PER_MINUTE_PER_ADDRESS": "10000",
        "LOG_LEVEL": "INFO",
    }


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    """A database of the site's own in the suite's cluster."""
    cluster = Cluster(Path(os.environ["EMBEDDED_POSTGRES_DIR"]), durable=False)
    name = f"test_colloquy_{os.getpid()}_site"
    quoted = sql.Identifier(name)
    # The superuser, because nobody else may end an autovacuum that is at work in a database that is to go.
    with psycopg.connect(cluster.url("postgres", "postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(quoted, sql.Identifier(OWNER)))
        try:
            yield cluster.urls(name)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
