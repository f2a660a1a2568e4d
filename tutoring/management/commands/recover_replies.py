"""`manage.py recover_replies [--dry-run]`: end the replies whose process is gone, now."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from tutoring.actions.recovery import Recovered, recover_lapsed, show_lapsed


class Command(BaseCommand):
    help = "End replies whose process is gone: their text is kept, what was set aside for them is given back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say which")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        count = 0
        for each in show_lapsed() if dry_run else _recovered():
            self.stdout.write(f"{each.generation}  {each.university}  {each.length} characters kept")
            count += 1
        replies = "1 reply" if count == 1 else f"{count} replies"
        if not count:
            self.stdout.write("No reply waits for a process that is gone.")
        elif dry_run:
            self.stdout.write(f"{replies} would be ended as interrupted.")
        else:
            self.stdout.write(f"{replies} ended as interrupted.")


def _recovered() -> Iterator[Recovered]:
    """A server may be recovering too; what it ends first is not named here."""
    while found := recover_lapsed():
        yield from found
