"""`manage.py serve`: the site on this address, as in production."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lms.server import serve


class Command(BaseCommand):
    help = "Serve pages, API and sockets. SIGTERM ends it in order: replies in the making have TUTOR_DRAIN_S to finish."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen at (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen at (8000)")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        if not 0 < port < 65536:
            raise CommandError(f"The port is {port}, but it must be a number from 1 to 65535.")
        serve(host, port)
