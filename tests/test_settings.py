"""A process that is told nonsense says so and does not start."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ADDRESSES = ("DATABASE_URL", "DATABASE_PLATFORM_URL", "DATABASE_OWNER_URL")
NOWHERE = dict.fromkeys(ADDRESSES, "postgres://nobody@127.0.0.1/none")
LONG = "a-long-random-value-0123456789-"
PRODUCTION = NOWHERE | {"DEBUG": "false", "SECRET_KEY": LONG + "s" * 30, "JWT_SIGNING_KEY": LONG + "j" * 30}
HTTPS_SITE = PRODUCTION | {"SITE_URL": "https://colloquy.example", "ALLOWED_HOSTS": "colloquy.example"}
# What an https address changes. Tests of headers and cookies take it from here.
HTTPS = {
    "CSRF_COOKIE_SECURE": True,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SECURE_HSTS_PRELOAD": True,
    "SECURE_HSTS_SECONDS": 31_536_000,
    "SECURE_SSL_REDIRECT": True,
    "SESSION_COOKIE_SECURE": True,
}


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | environment
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)


def start(**environment: str) -> tuple[int, str]:
    """Exit code and last line of a process that only loads the settings."""
    done = run("-c", "import lms.settings", **environment)
    return done.returncode, done.stderr.strip().rpartition("\n")[2].partition(": ")[2]


def test_a_production_configuration_starts():
    assert start(**PRODUCTION) == (0, "")


def test_django_has_nothing_to_say_of_a_site_behind_https():
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", **HTTPS_SITE)
    said = "System check identified no issues (1 silenced).\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [(HTTPS_SITE, HTTPS), (PRODUCTION, {name: type(value)() for name, value in HTTPS.items()})],
    ids=["https", "http"],
)
def test_an_https_address_shuts_out_http(environment, expected):
    program = f"import json, lms.settings as s; print(json.dumps({{name: getattr(s, name) for name in {[*HTTPS]}}}))"
    assert json.loads(run("-c", program, **environment).stdout) == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, [0, None]),
        ({"BEHIND_TLS_PROXY": "false"}, [0, None]),
        ({"BEHIND_TLS_PROXY": "true"}, [1, ["HTTP_X_FORWARDED_PROTO", "https"]]),
    ],
)
def test_a_proxy_is_believed_where_there_is_one(environment, expected):
    names = ["ALLAUTH_TRUSTED_PROXY_COUNT", "SECURE_PROXY_SSL_HEADER"]
    program = f"import json, lms.settings as s; print(json.dumps([getattr(s, name, None) for name in {names}]))"
    assert json.loads(run("-c", program, **HTTPS_SITE, **environment).stdout) == expected


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"SECRET_KEY": ""},
            "SECRET_KEY is not set: with DEBUG off each installation needs a long random value of its own.",
        ),
        (
            {"JWT_SIGNING_KEY": ""},
            "JWT_SIGNING_KEY is not set: with DEBUG off each installation needs a long random value of its own.",
        ),
        (
            {"DEBUG": "true", "SITE_URL": "https://example.org"},
            "DEBUG is on with an https SITE_URL: its secrets are known to everybody. Set DEBUG=false.",
        ),
        ({"JWT_SIGNING_KEY": "short"}, "JWT_SIGNING_KEY is too short: HS256 needs at least 32 characters."),
        (
            {"DATABASE_PLATFORM_URL": ""},
            "DATABASE_URL (the application's role), DATABASE_PLATFORM_URL (the role that sees all universities) and"
            " DATABASE_OWNER_URL (the role that migrates) go together.",
        ),
        (
            dict.fromkeys(ADDRESSES, "sqlite:///x.db"),
            "The database of 'default' is not PostgreSQL: use a postgres:// address.",
        ),
        (
            {"TUTOR_PROVIDER": "anthropic"},
            "The tutor's provider is anthropic, which needs ANTHROPIC_API_KEY.",
        ),
        (
            {"LANGFUSE_PUBLIC_KEY": "pk"},
            "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY go together.",
        ),
        (
            {"TUTOR_PROVIDER": "bedrock"},
            "The tutor's provider is bedrock, which needs AWS_REGION.",
        ),
        (
            {"TUTOR_FAILOVER_PROVIDER": "bedrock", "AWS_REGION": "eu-north-1"},
            "TUTOR_FAILOVER_PROVIDER must be another one than TUTOR_PROVIDER, which is not practice.",
        ),
        ({"DEBUG": "perhaps"}, "DEBUG is 'perhaps', but it must be one of true, false, yes, no, on, off, 1, 0."),
    ],
)
def test_a_bad_value_is_refused_with_a_sentence(changes, sentence):
    assert start(**(PRODUCTION | changes)) == (1, sentence)
