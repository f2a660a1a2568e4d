import socket
from typing import Any

import pytest

from lms.courses.actions.content_types import load_content_types
from prompts.actions.library import load_library
from tests.world import World


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def whole(world: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    settings.DEBUG = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    load_content_types()
    load_library()
    return world
