"""`manage.py load_content_types`: the content types that ship, made or renewed."""

from typing import Any

from django.core.management.base import BaseCommand

from lms.courses.actions.content_types import load_content_types


class Command(BaseCommand):
    help = "Make or renew the content types that ship with the product."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = load_content_types()
        self.stdout.write(f"Content types: {', '.join(row.slug for row in rows)}.")
