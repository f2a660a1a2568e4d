import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from pytest_django.plugin import DjangoDbBlocker

from tests.database import migrated_database
from tests.world import World, make_world

# They take minutes and a machine of their own: `make faults` asks for them.
collect_ignore = [] if "FAULT_ROUNDS" in os.environ else ["faults"]


# How long an example takes says how busy the machine is.
hypothesis_settings.register_profile("suite", deadline=None)
hypothesis_settings.load_profile("suite")


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """In place of pytest-django's own, which would create the database as the application's role."""
    with django_db_blocker.unblock(), migrated_database():
        yield


@pytest.fixture(autouse=True)
def fast_and_contained(settings: object, tmp_path: Path) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def world(db: None) -> World:
    return make_world()


SHARING = ("tests/e2e/", "tests/tenants/test_real_roles.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """One worker runs all browser tests, since they share a site, and those of the real roles, which share a database;
    every other test is on its own.

    That is what `--dist loadgroup` and its mark are for; under pytest 9.2 they do nothing (pytest-xdist issue 1386).
    """
    from xdist.scheduler import LoadScopeScheduling

    class OneSite(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((together for together in SHARING if nodeid.startswith(together)), nodeid)

    return OneSite(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the embedded server with the last run that uses it; a worker leaves that to its controller."""
    if hasattr(config, "workerinput"):
        return
    from tests.database import stop_cluster_when_unused

    stop_cluster_when_unused()
