"""`make demo`: database, tables, cast, course and server in one process, all of them gone again after Ctrl-C."""

import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent.parent
FIRST_PORT = 8000


def main() -> None:
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _leave)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
    port = _free_port()
    _choose_settings(port)
    with _database() as started_here:
        _prepare()
        _serve(port, started_here)


def _leave(signum: int, frame: FrameType | None) -> NoReturn:
    # As an exception, so that what was started is stopped on the way out.
    sys.exit(0)


def _free_port() -> int:
    """PORT where it is set, else the first free one from 8000 on."""
    wanted = os.environ.get("PORT")
    if wanted and not (wanted.isascii() and wanted.isdigit() and 0 < int(wanted) < 65536):
        sys.exit(f"PORT is {wanted!r}, but it must be a number from 1 to 65535.")
    for port in [int(wanted)] if wanted else range(FIRST_PORT, FIRST_PORT + 20):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    sys.exit(f"Port {wanted or FIRST_PORT} is taken. Choose another: make demo PORT=9000")


def _choose_settings(port: int) -> None:
    """As in production, but on this machine alone; what the environment or .env says comes first."""
    from dotenv import load_dotenv

    load_dotenv(ROOT / ".env")
    secrets_file = _data_dir() / "demo-secrets.json"
    if not secrets_file.is_file():
        secrets_file.parent.mkdir(parents=True, exist_ok=True)
        secrets_file.touch(mode=0o600)
        names = ("SECRET_KEY", "JWT_SIGNING_KEY")
        secrets_file.write_text(json.dumps({name: secrets.token_urlsafe(48) for name in names}))
    defaults = json.loads(secrets_file.read_text()) | {
        "DEBUG": "false",
        "SITE_URL": f"http://127.0.0.1:{port}",
        "LOG_LEVEL": "WARNING",
        "LOG_FORMAT": "console",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def _data_dir() -> Path:
    return Path(os.environ.get("DATA_DIR") or ROOT / ".data")


@contextmanager
def _database() -> Iterator[bool]:
    """The embedded server while the site runs; True where it was started for it and is stopped with it."""
    from lms.embedded_postgres import Cluster

    if os.environ.get("DATABASE_URL"):
        yield False
        return
    cluster = Cluster(Path(os.environ.get("EMBEDDED_POSTGRES_DIR") or _data_dir() / "postgres"))
    started_here = cluster.ensure_started()
    try:
        yield started_here
    finally:
        if started_here:
            cluster.stop()


def _prepare() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    began = time.monotonic()
    call_command("migrate", verbosity=0)
    call_command("load_demo")
    if not _static_files_are_current():
        call_command("collectstatic", interactive=False, verbosity=0)
    connections["owner"].close()
    print(f"Ready after {time.monotonic() - began:.1f} s.\n", flush=True)


def _static_files_are_current() -> bool:
    """Collecting and compressing takes seconds; nothing changes while sources and installed packages stay."""
    from django.conf import settings

    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if not manifest.is_file():
        return False
    sources = [*(ROOT / "static").rglob("*"), ROOT / "requirements.lock"]
    return all(path.stat().st_mtime < manifest.stat().st_mtime for path in sources)


def _serve(port: int, stops_database: bool) -> None:
    from django.conf import settings

    from lms.demo.cast import sign_ins
    from lms.server import serve

    tutor = (
        "the practice tutor, which answers with passages of the lesson (set ANTHROPIC_API_KEY for Claude)"
        if settings.TUTOR_PROVIDER == "practice"
        else f"Claude ({settings.TUTOR_MODEL}, {settings.ANTHROPIC_BASE_URL})"
    )
    print(f"Colloquy is at  {settings.SITE_URL}/")
    print(f"The tutor is    {tutor}.\n")
    print("Sign in as")
    for line in sign_ins():
        print(f"  {line}")
    stopped = "the site and its database" if stops_database else "the site; its database was running and stays"
    print(f"\nCtrl-C stops {stopped}. The data stay for the next time.", flush=True)
    serve("127.0.0.1", port)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print()
