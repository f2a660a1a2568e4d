"""Each way in which what the site talks to may not answer."""

import re
from pathlib import Path
from typing import Any

import pytest

from lms.doctor import upstream
from lms.doctor.findings import Verdict, fail, ok, warn
from tests.doctor.servers import answering, http, redis_reply
from tests.fakes.claude import FakeClaude


def timeless(verdict: Verdict) -> Verdict:
    return Verdict(verdict.state, re.sub(r"\d+ ms", "N ms", verdict.sentence))


class TestUpstream:
    @pytest.mark.parametrize(
        ("status", "verdict"),
        [
            (200, ok("{place} takes the key and answers in N ms.")),
            (401, fail("{place} refuses the key (HTTP 401).")),
            (403, fail("{place} refuses the key (HTTP 403).")),
            (529, warn("{place} answers HTTP 529: it may be overloaded.")),
        ],
    )
    def test_a_provider_that_knows_keys(self, settings: Any, status: int, verdict: Verdict) -> None:
        settings.TUTOR_PROVIDER, settings.ANTHROPIC_API_KEY = "anthropic", "sk-ant-x"
        asked = []
        with answering(lambda data: asked.append(data) or http(status)(data)) as port:
            settings.ANTHROPIC_BASE_URL = f"http://127.0.0.1:{port}"
            found = upstream.tutor()
        expected = verdict.sentence.replace("{place}", f"127.0.0.1:{port}")
        assert timeless(found) == Verdict(verdict.state, expected)
        assert (asked[0].startswith(b"GET /v1/models HTTP/1.1"), b"x-api-key: sk-ant-x" in asked[0]) == (True, True)

    def test_a_provider_that_speaks_messages_alone(self, settings: Any) -> None:
        settings.TUTOR_PROVIDER = "anthropic"
        with FakeClaude() as claude:
            settings.ANTHROPIC_BASE_URL = claude.url
            assert upstream.tutor() == ok(
                f"127.0.0.1:{claude.port} answers; it has no list of models, so the key was not tried."
            )

    def test_a_provider_that_is_away(self, settings: Any, closed_port: int) -> None:
        settings.TUTOR_PROVIDER, settings.ANTHROPIC_BASE_URL = "anthropic", f"http://127.0.0.1:{closed_port}"
        assert upstream.tutor() == fail(f"127.0.0.1:{closed_port} does not answer (ConnectError).")

    def test_the_practice_tutor_is_no_tutor_for_a_site(self, settings: Any) -> None:
        settings.DEBUG = False
        assert upstream.tutor().state == "warn"

    def test_bedrock(self, settings: Any, closed_port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        settings.TUTOR_FAILOVER_PROVIDER, settings.AWS_REGION = "bedrock", "eu-north-1"
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        assert upstream.failover() == fail(
            "boto3 finds no credentials for Bedrock: see its environment variables, profiles and roles."
        )
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
        settings.BEDROCK_BASE_URL = f"http://127.0.0.1:{closed_port}"
        assert upstream.failover() == fail(f"127.0.0.1:{closed_port} cannot be reached (ConnectionRefusedError).")
        with answering(http(200)) as port:
            settings.BEDROCK_BASE_URL = f"http://127.0.0.1:{port}"
            assert upstream.failover() == ok(f"There are credentials, and 127.0.0.1:{port} can be reached.")

    def test_prices(self, settings: Any) -> None:
        settings.TUTOR_PROVIDER, settings.TUTOR_FAILOVER_PROVIDER = "anthropic", "bedrock"
        settings.TUTOR_MODEL, settings.TUTOR_FAILOVER_MODEL = "homemade", "anthropic.claude-sonnet-5-5"
        assert upstream.prices() == warn("TUTOR_PRICES lacks homemade: their use counts in tokens alone, not in USD.")
        settings.TUTOR_MODEL = "claude-sonnet-5-5"
        assert upstream.prices() == ok("Every model in use has one.")

    def test_redis(self, settings: Any, closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WEB_CONCURRENCY", "2")
        assert upstream.redis() == warn(
            "WEB_CONCURRENCY is 2, and several processes need REDIS_URL to hear of each other."
        )
        settings.REDIS_URL = f"redis://127.0.0.1:{closed_port}/0"
        assert upstream.redis() == fail(
            f"127.0.0.1:{closed_port} does not answer (ConnectionError). Replies go on, and readers poll the database."
        )
        with answering(redis_reply) as port:
            settings.REDIS_URL = f"redis://:password@127.0.0.1:{port}/0"
            assert timeless(upstream.redis()) == ok(f"127.0.0.1:{port} answers in N ms.")

    @pytest.mark.parametrize(
        ("status", "verdict"),
        [
            (200, ok("{place} is in health.")),
            (503, warn("{place} answers 503: traces may be lost, replies are not.")),
        ],
    )
    def test_langfuse(self, settings: Any, status: int, verdict: Verdict) -> None:
        settings.LANGFUSE_PUBLIC_KEY = settings.LANGFUSE_SECRET_KEY = "x"
        with answering(http(status)) as port:
            settings.LANGFUSE_HOST = f"http://127.0.0.1:{port}"
            found = upstream.langfuse()
        assert found == Verdict(verdict.state, verdict.sentence.replace("{place}", f"127.0.0.1:{port}"))

    def test_langfuse_that_is_away_fails_nothing(self, settings: Any, closed_port: int) -> None:
        settings.LANGFUSE_PUBLIC_KEY, settings.LANGFUSE_HOST = "x", f"http://127.0.0.1:{closed_port}"
        assert upstream.langfuse() == warn(
            f"127.0.0.1:{closed_port} does not answer (ConnectError): traces are lost, replies are not."
        )

    def test_mail(self, settings: Any, closed_port: int) -> None:
        settings.DEBUG = False
        settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        assert upstream.mail() == warn("Mail goes to the filebased and to nobody: set EMAIL_HOST.")
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", closed_port
        assert upstream.mail() == fail(
            f"The mail server 127.0.0.1:{closed_port} does not answer (ConnectionRefusedError)."
        )
        with answering(
            lambda data: b"221 bye\r\n" if b"quit" in data.lower() else b"250 fine\r\n", b"220 here\r\n"
        ) as port:
            settings.EMAIL_PORT = port
            assert upstream.mail() == ok(f"The mail server 127.0.0.1:{port} answers.")
