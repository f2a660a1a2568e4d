from tests.tenants.conftest import call, fresh_counters

__all__ = ["call", "fresh_counters"]
