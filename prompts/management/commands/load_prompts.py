"""`manage.py load_prompts`: the shipped prompts into the database; again and again without harm."""

from typing import Any

from django.core.management.base import CommandError

from prompts.actions import load_library
from tenants.commands import PlatformCommand
from tenants.errors import DomainError


class Command(PlatformCommand):
    help = "Load the prompts of prompts/library. Unchanged files make no new version; labels moved by hand stay."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            lines = load_library()
        except DomainError as error:
            raise CommandError(error.detail) from error
        for line in lines:
            self.stdout.write(line)
