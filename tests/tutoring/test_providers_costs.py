from decimal import Decimal

from tutoring.providers.costs import cost_usd
from tutoring.providers.protocol import Usage

PRICES = {
    "claude": {
        "input": Decimal(3),
        "output": Decimal(15),
        "cache_write": Decimal("3.75"),
        "cache_read": Decimal("0.3"),
    }
}


def test_each_kind_of_token_has_its_price():
    usage = Usage(
        input_tokens=1000, output_tokens=200, cache_creation_input_tokens=4000, cache_read_input_tokens=10_000
    )
    assert cost_usd(usage, "claude", PRICES) == Decimal("0.003") + Decimal("0.003") + Decimal("0.015") + Decimal(
        "0.003"
    )


def test_a_model_without_prices_has_no_cost():
    assert cost_usd(Usage(input_tokens=1), "other", PRICES) is None
