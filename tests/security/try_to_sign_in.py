"""A process of the site that tries six wrong passwords at once: the answers' statuses, as JSON on its output.

Run by `test_account_rates`, several of them, with the suite's database.
"""

import json
import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "lms.settings"
django.setup()

from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from tests.security.simultaneous import at_once  # noqa: E402


def try_once(number: int) -> int:
    caller = Client(REMOTE_ADDR=f"198.51.{os.getpid() % 250}.{number}")
    body = {"email": sys.argv[1], "password": "wrong"}
    return caller.post("/api/v1/auth/login", body, content_type="application/json").status_code


if __name__ == "__main__":
    setup_test_environment(debug=True)
    sys.stdout.write(json.dumps(at_once(6, try_once)))
