"""Loaded before the settings: the suite has a throw-away cluster and knows no key and no server of this machine."""

import os
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent

for name in list(os.environ):
    if name.startswith(
        (
            "ANTHROPIC_",
            "AWS_",
            "BEDROCK_",
            "LANGFUSE_",
            "TUTOR_",
            "EMAIL_",
            "DATABASE_",
            "REDIS_",
            "S3_",
            "JWT_",
            "SECRET_",
            "SITE_",
        )
    ):
        del os.environ[name]
os.environ["COLLOQUY_TEST"] = "true"
os.environ["DEBUG"] = "true"
os.environ["LOG_LEVEL"] = "ERROR"
os.environ["TUTOR_TITLES"] = "false"
os.environ["TUTOR_PRACTICE_PACE_S"] = "0.0001"
os.environ["EMBEDDED_POSTGRES_DIR"] = str(_ROOT / ".data" / "postgres-test")
