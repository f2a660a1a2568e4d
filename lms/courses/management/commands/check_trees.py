"""`manage.py check_trees [--fix]`: whether every course's tree is whole."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from lms.courses.actions.tree import check_trees
from tenants.commands import PlatformCommand


class Command(PlatformCommand):
    help = "Compare the numbers of the course trees with their parents; with --fix, repair what is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fix", action="store_true", help="write what the numbers should be")

    def handle(self, *args: Any, fix: bool, **options: Any) -> None:
        problems = check_trees(fix=fix)
        for problem in problems:
            self.stdout.write(str(problem))
        if problems and not fix:
            raise CommandError(f"{len(problems)} modules stand wrongly. Run check_trees --fix to repair them.")
        self.stdout.write(f"{len(problems)} modules repaired." if problems else "All course trees are whole.")
