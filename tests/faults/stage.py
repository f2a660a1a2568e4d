"""One stage for faults: a database of its own, a fake provider, and servers of the site that share them."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.bedrock import ACCESS_KEY, SECRET_KEY, FakeBedrock
from tests.fakes.claude import FakeClaude
from tests.fakes.scripts import Received
from tests.faults.rig import ROOT, Postgres, Server, inherited_environment

TEMPLATE = "faults_template"
PASSWORD = "colloquy-demo"
STUDENTS = [f"student{number}@north.example" for number in range(8)]
STRANGER = "oona@south.example"
# In tokens. Nobody reaches it, yet every budget is counted.
NO_LIMIT = 10**12
# Access tokens last 30 minutes.
_SIGN_IN_AGAIN_S = 15 * 60
# As in tutoring.providers.breaker, and the time that the failures themselves take.
_BREAKER_FAILURES, _BREAKER_S = 5, 30 + 20

_PREPARE = """
import sys
import django
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0)
call_command("load_demo")

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from lms.courses.models import CourseOffering
from lms.learning.actions.enrolment import enroll
from tenants.models import Membership, Role, University, User
from tenants.visits import within

from tutoring.models import TutorPolicy

north = University.objects.get(slug="north")
tokens = dict.fromkeys(["user_daily_tokens", "course_monthly_tokens", "university_monthly_tokens"], {limit!r})
usd = dict.fromkeys(["user_daily_usd", "course_monthly_usd", "university_monthly_usd"], 10**5)
with within(north.pk):
    TutorPolicy.objects.create(university=north, **tokens, **usd)
    offering = CourseOffering.objects.get(university=north)
    password = make_password({password!r})
    for email in {students!r}:
        user = User.objects.create_user(email, full_name="A student")
        User.objects.filter(pk=user.pk).update(password=password)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        Membership.objects.create(user=user, university=north, role=Role.STUDENT)
        enroll(by=user, offering_id=offering.pk)
"""
# A text that students may read, in the one offering that North has.
_LESSON = """
SELECT offering.id AS offering, item.id AS content_item
FROM courses_courseoffering offering
JOIN tenants_university university ON university.id = offering.university_id AND university.slug = 'north'
JOIN courses_module module ON module.course_id = offering.course_id
JOIN courses_contentitem item ON item.module_id = module.id
JOIN courses_contenttype type ON type.id = item.content_type_id AND type.slug = 'text'
ORDER BY item.id LIMIT 1
"""
# The API gives an empty conversation again to who asks for another, so that only one at a time begins empty.
_MORE_CONVERSATIONS = """
INSERT INTO tutoring_chatsession
SELECT (jsonb_populate_record(session, jsonb_build_object('id', gen_random_uuid(), 'user_id', student.id))).*
FROM tutoring_chatsession session, tenants_user student, generate_series(1, %s)
WHERE session.id = %s AND student.email = %s
RETURNING id::text
"""


@dataclass
class Place:
    """What all stages of one run share: the cluster with its template, and a folder."""

    postgres: Postgres
    folder: Path
    _stages: int = 0

    def prepare(self) -> None:
        addresses = self.postgres.create(TEMPLATE)
        script = _PREPARE.format(password=PASSWORD, students=STUDENTS, limit=NO_LIMIT)
        options: dict[str, Any] = {"cwd": ROOT, "env": self._environment(addresses), "capture_output": True}
        done = subprocess.run([sys.executable, "-c", script], **options, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def _environment(self, settings: dict[str, str]) -> dict[str, str]:
        return inherited_environment() | {
            "DJANGO_SETTINGS_MODULE": "lms.settings",
            "DEBUG": "false",
            "SECRET_KEY": "for-tests-" + "s" * 40,
            "JWT_SIGNING_KEY": "for-tests-" + "j" * 40,
            "SITE_URL": "http://127.0.0.1",
            "DATA_DIR": str(self.folder / "data"),
            "EMAIL_FILE_PATH": str(self.folder / "mail"),
            "LOG_LEVEL": "INFO",
            "LOG_FORMAT": "json",
            "TUTOR_TITLES": "false",
            "TUTOR_SENDS_PER_MINUTE_PER_USER": "100000",
            "TUTOR_SENDS_PER_MINUTE_PER_ADDRESS": "100000",
            **settings,
        }

    @contextmanager
    def stage(self, *, servers: int = 1, **settings: str) -> Iterator["Stage"]:
        """Servers that run, with these settings beside the usual ones."""
        self._stages += 1
        name = f"faults_{self._stages}"
        addresses = self.postgres.create(name, TEMPLATE)
        with FakeClaude() as claude, FakeBedrock() as bedrock:
            environment = self._environment(addresses | _upstream(claude, bedrock) | settings)
            started = [Server(self.folder, environment) for _ in range(servers)]
            stage = Stage(self.postgres, name, claude, bedrock, started)
            try:
                for server in started:
                    server.start()
                yield stage
            finally:
                for server in started:
                    server.kill()
        self.postgres.drop(name)


def _upstream(claude: FakeClaude, bedrock: FakeBedrock) -> dict[str, str]:
    return {
        "ANTHROPIC_API_KEY": "test-key",
        "ANTHROPIC_BASE_URL": claude.url,
        "AWS_REGION": "eu-north-1",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "BEDROCK_BASE_URL": bedrock.url,
    }


@dataclass
class Stage:
    postgres: Postgres
    database: str
    claude: FakeClaude
    bedrock: FakeBedrock
    servers: list[Server]
    _tokens: dict[str, tuple[float, str]] = field(default_factory=dict)
    _conversation: str = ""
    _failed_at: list[float] = field(default_factory=list)

    @property
    def server(self) -> Server:
        return self.servers[0]

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return self.postgres.execute(self.database, query, *values)

    def begin_conversations(self, email: str, count: int) -> list[str]:
        """Their ids. The first of the stage is made by the API, the others are its copies."""
        if not self._conversation:
            url = f"{self.server.url}/api/v1/chat/sessions"
            headers = {"Authorization": f"Bearer {self.token(email)}"}
            body = {"university": "north", **self.rows(_LESSON)[0]}
            answer = httpx.post(url, json=body, headers=headers, timeout=60, trust_env=False)
            assert answer.status_code == 201, answer.text
            self._conversation = answer.json()["id"]
        return [row["id"] for row in self.rows(_MORE_CONVERSATIONS, count, self._conversation, email)]

    def token(self, email: str) -> str:
        signed_in_at, token = self._tokens.get(email, (0.0, ""))
        if time.monotonic() - signed_in_at > _SIGN_IN_AGAIN_S or not token:
            body = {"email": email, "password": PASSWORD}
            url = f"{self.server.url}/api/v1/auth/login"
            answer = httpx.post(url, json=body, timeout=60, trust_env=False)
            assert answer.status_code == 200, answer.text
            token = answer.json()["access_token"]
            self._tokens[email] = (time.monotonic(), token)
        return token

    def start_what_is_down(self) -> None:
        for server in self.servers:
            if not server.is_running:
                server.start()

    def upstream_requests(self) -> list[Received]:
        return [*self.claude.requests, *self.bedrock.requests]

    def forget_script(self) -> None:
        self.claude.forget_script()
        self.bedrock.forget_script()

    def spare_breaker(self, failures: int) -> None:
        """Before so many failures of the provider: with the fifth in 30 s nobody would be asked for a while."""
        recent = [at for at in self._failed_at if time.monotonic() - at < _BREAKER_S]
        if len(recent) + failures >= _BREAKER_FAILURES:
            recent = []
            for server in self.servers:
                server.restart()
        self._failed_at = recent + [time.monotonic()] * failures
