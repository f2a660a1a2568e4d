"""`manage.py prompts check`: whether every live prompt compiles, for everybody."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from prompts import queries
from tenants.commands import PlatformCommand


class Command(PlatformCommand):
    help = "Check the prompts: malformed tags, and labels that do not compile. Exit code 1 when there is any."

    def add_arguments(self, parser: ArgumentParser) -> None:
        subcommands = parser.add_subparsers(dest="subcommand", required=True)
        subcommands.add_parser("check", help="look at every version that a label or “latest” stands on")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = queries.findings()
        for finding in findings:
            self.stdout.write(finding)
        if findings:
            raise CommandError(f"{len(findings)} found.")
        self.stdout.write("Every label compiles, and no tag is malformed.")
