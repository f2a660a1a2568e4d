from tests.tenants.conftest import call, fresh_counters, hashes

__all__ = ["call", "fresh_counters", "hashes"]
