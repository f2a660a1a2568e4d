"""What the site talks to: mail, Redis, the tutor's models, Langfuse."""

import os
import smtplib
import socket
import time
from urllib.parse import urlsplit

import boto3  # type: ignore[import-untyped]
import httpx
from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from lms.doctor.findings import Verdict, fail, ok, warn

_TIMEOUT_S = 5
_ANTHROPIC_VERSION = "2023-06-01"
_REFUSED = (401, 403)


def mail() -> Verdict:
    """Connects and says hello; nothing is sent and nobody signs in."""
    kind = settings.EMAIL_BACKEND.rpartition(".")[0].rpartition(".")[2]
    if kind != "smtp":
        verdict = ok if settings.DEBUG else warn
        return verdict(f"Mail goes to the {'console' if kind == 'console' else kind} and to nobody: set EMAIL_HOST.")
    place = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    try:
        with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=_TIMEOUT_S) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        return fail(f"The mail server {place} does not answer ({type(error).__name__}).")
    return ok(f"The mail server {place} answers.")


def redis() -> Verdict:
    if not settings.REDIS_URL:
        processes = os.environ.get("WEB_CONCURRENCY") or "1"
        if processes != "1":
            return warn(f"WEB_CONCURRENCY is {processes}, and several processes need REDIS_URL to hear of each other.")
        return ok("Not used, which is right for one process.")
    place = _place(settings.REDIS_URL)
    try:
        once = {"retry": Retry(NoBackoff(), 0), "socket_timeout": _TIMEOUT_S, "socket_connect_timeout": _TIMEOUT_S}
        with Redis.from_url(settings.REDIS_URL, **once) as client:
            client.ping()
            started = time.monotonic()
            client.ping()
    except (RedisError, ValueError) as error:
        return fail(f"{place} does not answer ({type(error).__name__}). Replies go on, and readers poll the database.")
    return ok(f"{place} answers in {_ms_since(started)} ms.")


def tutor() -> Verdict:
    return _provider(settings.TUTOR_PROVIDER)


def failover() -> Verdict:
    name = settings.TUTOR_FAILOVER_PROVIDER
    return _provider(name) if name else ok("Not set: when the provider is down, nobody answers.")


def prices() -> Verdict:
    models = {settings.TUTOR_MODEL, settings.TUTOR_SMALL_MODEL}
    if settings.TUTOR_FAILOVER_PROVIDER:
        models |= {settings.TUTOR_FAILOVER_MODEL, settings.TUTOR_FAILOVER_SMALL_MODEL}
    if settings.TUTOR_PROVIDER == "practice":
        return ok("The practice tutor costs nothing.")
    if unpriced := sorted(models - settings.TUTOR_PRICES.keys()):
        return warn(f"TUTOR_PRICES lacks {', '.join(unpriced)}: their use counts in tokens alone, not in USD.")
    return ok("Every model in use has one.")


def langfuse() -> Verdict:
    """A Langfuse that is away costs traces and nothing else, so it never fails the installation."""
    if not settings.LANGFUSE_PUBLIC_KEY:
        return ok("Off: there are no keys.")
    host = settings.LANGFUSE_HOST
    try:
        answer = httpx.get(f"{host}/api/public/health", timeout=_TIMEOUT_S)
    except httpx.HTTPError as error:
        return warn(f"{_place(host)} does not answer ({type(error).__name__}): traces are lost, replies are not.")
    if answer.is_success:
        return ok(f"{_place(host)} is in health.")
    return warn(f"{_place(host)} answers {answer.status_code}: traces may be lost, replies are not.")


def _provider(name: str) -> Verdict:
    if name == "bedrock":
        return _bedrock()
    if name == "anthropic":
        return _anthropic()
    verdict = ok if settings.DEBUG else warn
    return verdict("The practice tutor answers from the lesson itself: TUTOR_PROVIDER is practice.")


def _anthropic() -> Verdict:
    """Asks for the list of models, which costs nothing. Servers that only speak Messages have none."""
    place = _place(settings.ANTHROPIC_BASE_URL)
    headers = {"x-api-key": settings.ANTHROPIC_API_KEY, "anthropic-version": _ANTHROPIC_VERSION}
    started = time.monotonic()
    try:
        answer = httpx.get(f"{settings.ANTHROPIC_BASE_URL}/v1/models", headers=headers, timeout=_TIMEOUT_S)
    except httpx.HTTPError as error:
        return fail(f"{place} does not answer ({type(error).__name__}).")
    if answer.status_code in _REFUSED:
        return fail(f"{place} refuses the key (HTTP {answer.status_code}).")
    if answer.status_code == 404:
        return ok(f"{place} answers; it has no list of models, so the key was not tried.")
    if not answer.is_success:
        return warn(f"{place} answers HTTP {answer.status_code}: it may be overloaded.")
    return ok(f"{place} takes the key and answers in {_ms_since(started)} ms.")


def _bedrock() -> Verdict:
    """Whether there are credentials and a way to the endpoint; a request would cost money."""
    if boto3.Session(region_name=settings.AWS_REGION).get_credentials() is None:
        return fail("boto3 finds no credentials for Bedrock: see its environment variables, profiles and roles.")
    url = urlsplit(settings.BEDROCK_BASE_URL or f"https://bedrock-runtime.{settings.AWS_REGION}.amazonaws.com")
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        socket.create_connection((url.hostname or "", port), timeout=_TIMEOUT_S).close()
    except OSError as error:
        return fail(f"{url.hostname}:{port} cannot be reached ({type(error).__name__}).")
    return ok(f"There are credentials, and {url.hostname}:{port} can be reached.")


def _place(url: str) -> str:
    """Host and port, without the password that an address may carry."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname or parts.path}{port}"


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
