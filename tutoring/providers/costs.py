"""What a reply cost."""

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from tutoring.providers.protocol import Usage

_MILLION = Decimal(1_000_000)
# Near enough for what nobody counted: a token of English is about four characters.
CHARS_PER_TOKEN = 4


def cost_usd(usage: Usage, model: str, prices: Mapping[str, Mapping[str, Decimal]]) -> Decimal | None:
    """From USD per million tokens (`input`, `output`, `cache_write`, `cache_read`); None for a model without prices."""
    if model not in prices:
        return None
    price = prices[model]
    return (
        usage.input_tokens * price["input"]
        + usage.output_tokens * price["output"]
        + usage.cache_creation_input_tokens * price["cache_write"]
        + usage.cache_read_input_tokens * price["cache_read"]
    ) / _MILLION


def estimated_usage(counted: Usage, text: str, *, asked_tokens: int) -> tuple[Usage, bool]:
    """What a reply that broke off has used, and whether that is an estimate.

    Providers count the output at the end alone, and some servers the input too. `asked_tokens` is about what was sent
    to one that was left before it had counted; 0 where none was asked, or it refused.
    """
    written = math.ceil(len(text) / CHARS_PER_TOKEN)
    if counted == Usage():
        counted = Usage(input_tokens=asked_tokens)
    usage = replace(counted, output_tokens=max(counted.output_tokens, written))
    return usage, usage != Usage()
