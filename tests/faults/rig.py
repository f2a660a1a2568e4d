"""The site's parts as processes that can be hurt: PostgreSQL, Redis, and the server itself."""

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import redis
from psycopg import sql

from lms.embedded_postgres import APPLICATION, OWNER, PLATFORM, Cluster, _run
from tests.faults.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
START_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Postgres:
    """A cluster of the suite's own, whose server may be stopped under the feet of the site."""

    cluster: Cluster
    port: int = 0
    _options: str = ""

    def start_first(self) -> None:
        self.cluster.ensure_started()
        self.port = self.cluster.port
        command = shlex.split((self.cluster.data / "postmaster.opts").read_text())
        # What follows `postgres -D <folder>`: with it the server comes back on the same port.
        self._options = shlex.join(command[3:])

    def url(self, role: str, database: str) -> str:
        return f"postgres://{role}:{self.cluster.password}@127.0.0.1:{self.port}/{database}"

    def execute(self, database: str, statement: str, *values: Any) -> list[dict[str, Any]]:
        """As the superuser, whom no row-level security keeps from seeing all rows."""
        with psycopg.connect(self.url("postgres", database), autocommit=True, row_factory=_as_dicts) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def create(self, name: str, template: str = "template0") -> dict[str, str]:
        """A database, as the settings of a server that uses it."""
        names = {"name": sql.Identifier(name), "template": sql.Identifier(template), "owner": sql.Identifier(OWNER)}
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as superuser:
            superuser.execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {template} OWNER {owner}").format(**names))
            # Of all that makes a cluster durable this alone matters when its processes die and the machine lives on.
            superuser.execute(sql.SQL("ALTER DATABASE {name} SET synchronous_commit = on").format(**names))
        roles = {"DATABASE_URL": APPLICATION, "DATABASE_PLATFORM_URL": PLATFORM, "DATABASE_OWNER_URL": OWNER}
        return {setting: self.url(role, name) for setting, role in roles.items()}

    def drop(self, name: str) -> None:
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as superuser:
            superuser.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def end_sessions(self, database: str) -> int:
        """Cut every connection of the application; their number."""
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = %s"
        return len(self.execute("postgres", ended, database, APPLICATION))

    def crash(self) -> None:
        """As after kill -9: nothing is written any more, sessions are cut, the next start recovers."""
        _run("pg_ctl", "stop", "-D", str(self.cluster.data), "-m", "immediate", "-w")

    def stop(self) -> None:
        _run("pg_ctl", "stop", "-D", str(self.cluster.data), "-m", "fast", "-w")

    def start(self) -> None:
        log = str(self.cluster.directory / "server.log")
        command = ["pg_ctl", "start", "-D", str(self.cluster.data), "-l", log, "-w", "-t", "60", "-o", self._options]
        # The children of a killed server take a moment to notice, and their memory keeps a new one from starting.
        wait_until(lambda: _run(*command, check=False) == 0, START_S, "PostgreSQL again")


def _as_dicts(cursor: psycopg.Cursor[Any]) -> Any:
    return psycopg.rows.dict_row(cursor)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    # Not in pytest's folder: where namespaces are refused PostgreSQL runs as nobody, who cannot reach into that.
    with tempfile.TemporaryDirectory(prefix="colloquy-faults-") as folder:
        postgres = Postgres(Cluster(Path(folder) / "postgres", durable=False))
        Path(folder).chmod(0o711)
        try:
            postgres.start_first()
            yield postgres
        finally:
            postgres.cluster.stop()


@dataclass
class Redis:
    folder: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_timeout=2)

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with (self.folder / "redis.log").open("a") as output:
            command = ["redis-server", *options, "--dir", str(self.folder)]
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        wait_until(self._answers, START_S, "Redis")

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError), contextlib.closing(self.client()) as client:
            return bool(client.ping())
        return False

    def stop(self) -> None:
        """Without a word to its clients; what it held is gone."""
        if self._process:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def flush(self) -> None:
        with contextlib.closing(self.client()) as client:
            client.flushall()

    def hold(self, seconds: float) -> None:
        """Answer nobody for a while, with every connection open."""
        with contextlib.closing(self.client()) as client:
            client.execute_command("CLIENT", "PAUSE", round(seconds * 1000), "ALL")

    def freeze(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)


class Server:
    """One process of the site."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.log_file = folder / f"server-{self.port}.log"
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log_file.open("a") as output:
            command = [sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", str(self.port)]
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=output, stderr=output)
        wait_until(self._answers, START_S, "answer of the server")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> None:
        assert self._process
        self._process.terminate()

    def exit_code(self, timeout_s: float) -> int:
        assert self._process
        return self._process.wait(timeout_s)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def restart(self) -> None:
        self.kill()
        self.start()

    def peak_mb(self) -> float:
        """The most memory that it has had since `forget_peak`."""
        assert self._process
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))

    def forget_peak(self) -> None:
        assert self._process
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")

    def open_sockets(self) -> int:
        """Those to clients, PostgreSQL, Redis and the provider alike."""
        assert self._process
        count = 0
        for descriptor in Path(f"/proc/{self._process.pid}/fd").iterdir():
            # One that has been closed since it was listed.
            with contextlib.suppress(FileNotFoundError):
                count += str(descriptor.readlink()).startswith("socket:")
        return count

    def log_size(self) -> int:
        return self.log_file.stat().st_size if self.log_file.exists() else 0

    def complaints(self, since: int) -> list[str]:
        """Lines of the log, from this byte on, that say that something broke."""
        with self.log_file.open("rb") as log:
            log.seek(since)
            lines = log.read().decode(errors="replace").splitlines()
        return [line for line in lines if _complains(line)]

    def _answers(self) -> bool:
        assert self.is_running, self.log_file.read_text()[-4000:]
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/healthz", trust_env=False).is_success
        return False


def _complains(line: str) -> bool:
    try:
        entry = json.loads(line)
    except ValueError:
        return line.startswith(("ERROR", "CRITICAL", "Traceback", "Exception"))
    return isinstance(entry, dict) and entry.get("level") in {"error", "critical"}


def inherited_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
