from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client, TransactionTestCase

from tenants import tokens
from tenants.models import AuditEntry, TokenFamily
from tests.world import make_world

REQUESTS = 50


class FiftyAtOnce(TransactionTestCase):
    def setUp(self) -> None:
        cache.clear()
        self.world = make_world()
        self.start = Barrier(REQUESTS)

    def spend(self, token: str) -> tuple[int, dict[str, str]]:
        client = Client()
        self.start.wait()
        try:
            response = client.post("/api/v1/auth/refresh", {"refresh_token": token}, content_type="application/json")
            return response.status_code, response.json()
        finally:
            connections.close_all()

    def test_a_refresh_token_is_spent_once(self) -> None:
        pair = tokens.start_family(self.world.sam)
        with ThreadPoolExecutor(REQUESTS) as pool:
            answers = list(pool.map(self.spend, [pair.refresh_token] * REQUESTS))
        refusal = {"detail": "This token is not valid, or no longer.", "code": "bad_token"}
        assert sorted(status for status, _ in answers) == [200] + [401] * (REQUESTS - 1)
        assert [body for status, body in answers if status == 401] == [refusal] * (REQUESTS - 1)
        # The other 49 are reuse, so what the one was given is dead as well, and it is recorded once.
        (new_pair,) = [body for status, body in answers if status == 200]
        with pytest.raises(tokens.BadToken):
            tokens.user_for_access_token(new_pair["access_token"])
        assert TokenFamily.objects.get().revoked_reason == "reused"
        assert AuditEntry.objects.filter(action="token_family.ended").count() == 1
