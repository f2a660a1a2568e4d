"""`manage.py doctor [--json]`: whether this installation is whole."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lms.doctor import Finding, examine


class Command(BaseCommand):
    help = "Check database, roles, files, prompts, secrets and what the site talks to. Exit code 1 when a check fails."
    # Django's own would end the command at what it is there to explain.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for a monitor: one object with the checks in a list")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = self._as_json() if options["json"] else self._as_lines()
        failed = [finding.name for finding in findings if finding.state == "fail"]
        if failed:
            raise CommandError(f"{len(failed)} of {len(findings)} checks failed: {', '.join(failed)}.")

    def _as_lines(self) -> list[Finding]:
        findings = []
        for finding in examine():
            self.stdout.write(f"{finding.state:<4}  {finding.name:<16}  {finding.sentence}")
            findings.append(finding)
        return findings

    def _as_json(self) -> list[Finding]:
        findings = list(examine())
        is_ok = all(finding.state != "fail" for finding in findings)
        self.stdout.write(json.dumps({"ok": is_ok, "checks": [asdict(finding) for finding in findings]}, indent=2))
        return findings
