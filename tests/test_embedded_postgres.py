import os
import signal

import psycopg
import pytest

from lms.embedded_postgres import APPLICATION, OWNER, Cluster


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(tmp_path / "cluster", durable=False)
    yield cluster
    cluster.stop()


def test_it_starts_once_keeps_its_data_and_stops(cluster):
    assert (cluster.ensure_started(), cluster.ensure_started()) == (True, False)
    with psycopg.connect(cluster.url(OWNER)) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 7 AS number")
    assert (cluster.stop(), cluster.stop(), cluster.is_ready()) == (True, False, False)

    assert cluster.ensure_started() is True
    with psycopg.connect(cluster.url(OWNER)) as owner:
        assert owner.execute("SELECT number FROM kept").fetchone() == (7,)


def test_it_starts_again_after_its_server_was_killed(cluster):
    cluster.ensure_started()
    os.kill(int((cluster.data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
    # Connections are refused at once; the pid file of the dead server still stands.
    while cluster.is_ready():
        pass
    assert cluster.ensure_started() is True
    with psycopg.connect(cluster.url(APPLICATION)) as application:
        assert application.execute("SELECT 1").fetchone() == (1,)


def test_the_roles_are_ordinary_and_strangers_stay_out(cluster):
    cluster.ensure_started()
    with psycopg.connect(cluster.url(APPLICATION)) as application:
        rights = "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        assert application.execute(rights).fetchone() == (False, False, False, False)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgres://postgres:wrong@127.0.0.1:{cluster.port}/postgres")
    assert (cluster.directory / "password").stat().st_mode & 0o777 == 0o600
