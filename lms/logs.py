"""Structured logs: lines for people while developing, JSON for machines in production."""

import re
from collections.abc import Mapping
from typing import Any

import structlog
import structlog.dev
import structlog.tracebacks

_SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

# The address of a shared conversation is all that it takes to read it. As a path, and as part of a query.
_SHARE_ADDRESS = re.compile(r"""(?i)((?:/|%2f)share(?:/|%2f))[^/\s"'?&#]+""")
# A token of the API that somebody put into an address, or that a library wrote down.
_API_TOKEN = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+")


def without_tokens(_logger: Any, _method: str, line: str | Mapping[str, Any]) -> str:
    """A processor for the finished line, whichever field or traceback an address came in with."""
    return _API_TOKEN.sub("[token]", _SHARE_ADDRESS.sub(r"\1[token]", str(line)))


def _renderers(line_format: str) -> list[Any]:
    """Tracebacks without local variables, which may be passwords and students' words."""
    if line_format == "json":
        without_locals = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        return [structlog.processors.ExceptionRenderer(without_locals), structlog.processors.JSONRenderer()]
    return [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]


def logging_settings(level: str, line_format: str) -> dict[str, Any]:
    """Django's LOGGING; `line_format` is `console` or `json`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED_PROCESSORS,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *_renderers(line_format),
                    without_tokens,
                ],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": level},
        # django_structlog writes one line for each request with its outcome; the servers' own lines would double it.
        # The servers' and botocore's own debugging would write down cookies, and what a request is signed with.
        "loggers": {
            "django.server": {"level": "WARNING"},
            "uvicorn.access": {"level": "WARNING"},
            "uvicorn.error": {"level": "INFO" if level == "DEBUG" else level},
            "botocore": {"level": "INFO"},
        },
    }


def configure_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED_PROCESSORS,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
