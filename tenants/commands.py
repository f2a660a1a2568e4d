"""The base of commands that are about every university."""

from typing import Any

from django.core.management.base import BaseCommand

from tenants.platform import platform


class PlatformCommand(BaseCommand):
    """Runs through the platform's connection, and says so in the audit log."""

    def execute(self, *args: Any, **options: Any) -> Any:
        name = type(self).__module__.rpartition(".")[2]
        with platform(by=None, why=f"manage.py {name}"):
            return super().execute(*args, **options)
