"""What a reply cost."""

from collections.abc import Mapping
from decimal import Decimal

from tutoring.providers.protocol import Usage

_MILLION = Decimal(1_000_000)


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
