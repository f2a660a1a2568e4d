"""The settings of the tutor, a part of `lms.settings`: who answers, within which limits, at what price."""

from decimal import Decimal

from django.core.exceptions import ImproperlyConfigured

from lms import env

ANTHROPIC_API_KEY = env.text("ANTHROPIC_API_KEY")
# May point at any server that speaks the Messages API.
ANTHROPIC_BASE_URL = env.url("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
# "practice" answers from the lesson itself, without a model; it is what runs when there is no key.
TUTOR_PROVIDER = env.choice(
    "TUTOR_PROVIDER", "anthropic" if ANTHROPIC_API_KEY else "practice", ("anthropic", "bedrock", "practice")
)
# Who answers when the provider cannot, before the first text of a reply. Empty: nobody.
TUTOR_FAILOVER_PROVIDER = env.choice("TUTOR_FAILOVER_PROVIDER", "", ("", "anthropic", "bedrock"))
if "anthropic" in (TUTOR_PROVIDER, TUTOR_FAILOVER_PROVIDER) and not ANTHROPIC_API_KEY:
    raise ImproperlyConfigured("The tutor's provider is anthropic, which needs ANTHROPIC_API_KEY.")
if TUTOR_FAILOVER_PROVIDER and TUTOR_PROVIDER in ("practice", TUTOR_FAILOVER_PROVIDER):
    raise ImproperlyConfigured(
        "TUTOR_FAILOVER_PROVIDER must be another one than TUTOR_PROVIDER, which is not practice."
    )
# Bedrock finds its credentials as boto3 does: environment, profile, role.
AWS_REGION = env.text("AWS_REGION")
if "bedrock" in (TUTOR_PROVIDER, TUTOR_FAILOVER_PROVIDER) and not AWS_REGION:
    raise ImproperlyConfigured("The tutor's provider is bedrock, which needs AWS_REGION.")
# Another address than the region's own, such as a private endpoint.
BEDROCK_BASE_URL = env.url("BEDROCK_BASE_URL", "")
_SONNET, _HAIKU = "claude-sonnet-5-5", "claude-haiku-5-5"
_BEDROCK_PREFIX = "anthropic." if TUTOR_PROVIDER == "bedrock" else ""
TUTOR_MODEL = env.text("TUTOR_MODEL", _BEDROCK_PREFIX + _SONNET)
# For side work, such as titles, and for replies where a university's policy asks for a cheaper one.
TUTOR_SMALL_MODEL = env.text("TUTOR_SMALL_MODEL", _BEDROCK_PREFIX + _HAIKU)
_FAILOVER_PREFIX = "anthropic." if TUTOR_FAILOVER_PROVIDER == "bedrock" else ""
TUTOR_FAILOVER_MODEL = env.text("TUTOR_FAILOVER_MODEL", _FAILOVER_PREFIX + _SONNET)
TUTOR_FAILOVER_SMALL_MODEL = env.text("TUTOR_FAILOVER_SMALL_MODEL", _FAILOVER_PREFIX + _HAIKU)
# Whether the small model gives a conversation its title after the first reply; else the question is the title.
TUTOR_TITLES = env.boolean("TUTOR_TITLES", default=True)
# How much of a conversation the model is sent beside the lesson; older messages are left out.
TUTOR_WINDOW_TOKENS = env.integer("TUTOR_WINDOW_TOKENS", 30_000, minimum=1000, maximum=1_000_000)
# Questions that are taken; more are refused with 429 until the minute is over.
TUTOR_SENDS_PER_MINUTE_PER_USER = env.integer("TUTOR_SENDS_PER_MINUTE_PER_USER", 20, minimum=1, maximum=1_000_000)
TUTOR_SENDS_PER_MINUTE_PER_ADDRESS = env.integer(
    "TUTOR_SENDS_PER_MINUTE_PER_ADDRESS", 600, minimum=1, maximum=1_000_000
)
# How long replies may go on after SIGTERM.
TUTOR_DRAIN_S = env.seconds("TUTOR_DRAIN_S", 30)
TUTOR_MAX_OUTPUT_TOKENS = env.integer("TUTOR_MAX_OUTPUT_TOKENS", 2000, minimum=64, maximum=64000)
# The longest question that a student may send, in characters: with four bytes each it must fit into a socket's frame.
TUTOR_MAX_QUESTION_CHARACTERS = env.integer("TUTOR_MAX_QUESTION_CHARACTERS", 8000, minimum=100, maximum=16_000)
TUTOR_CONNECT_S = env.seconds("TUTOR_CONNECT_S", 5)
TUTOR_FIRST_EVENT_S = env.seconds("TUTOR_FIRST_EVENT_S", 30)
TUTOR_SILENCE_S = env.seconds("TUTOR_SILENCE_S", 30)
TUTOR_TEXT_SILENCE_S = env.seconds("TUTOR_TEXT_SILENCE_S", 90)
TUTOR_WHOLE_REPLY_S = env.seconds("TUTOR_WHOLE_REPLY_S", 300)
# Pause between the words of the practice tutor, in seconds.
TUTOR_PRACTICE_PACE_S = env.seconds("TUTOR_PRACTICE_PACE_S", 0.02)
# Traces of replies, their usage and their thumbs go to Langfuse when there are keys.
LANGFUSE_PUBLIC_KEY = env.text("LANGFUSE_PUBLIC_KEY")
LANGFUSE_SECRET_KEY = env.text("LANGFUSE_SECRET_KEY")
if bool(LANGFUSE_PUBLIC_KEY) != bool(LANGFUSE_SECRET_KEY):
    raise ImproperlyConfigured("LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY go together.")
LANGFUSE_HOST = env.url("LANGFUSE_HOST", "https://cloud.langfuse.com")
# Whether questions, replies and comments go there too. Off: students' words stay within the university.
TUTOR_TRACE_TEXTS = env.boolean("TUTOR_TRACE_TEXTS", default=False)
# USD per million tokens and model. The SDK has no price table; a model that is missing here is stored without a cost.
TUTOR_PRICES = env.prices(
    "TUTOR_PRICES",
    {
        prefix + model: {
            "input": Decimal(usd),
            "output": Decimal(usd) * 5,
            "cache_write": Decimal(usd) * Decimal("1.25"),
            "cache_read": Decimal(usd) / 10,
        }
        for model, usd in ((_SONNET, "3"), (_HAIKU, "1"))
        for prefix in ("", "anthropic.")
    },
)
