import pytest
from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.test import RequestFactory, TestCase

from tenants import tokens
from tenants.auth import AsyncBearerAuth, BearerAuth
from tenants.errors import BadToken, EmailNotVerified
from tests.world import World, make_world


def carrying(token: str) -> HttpRequest:
    return RequestFactory().get("/", headers={"Authorization": f"Bearer {token}"})


class TestBearer:
    def test_gives_the_person(self, world: World) -> None:
        assert BearerAuth()(carrying(tokens.start_family(world.sam).access_token)) == world.sam

    def test_none_without_a_header(self, db: None) -> None:
        assert BearerAuth()(RequestFactory().get("/")) is None

    def test_refuses_an_unverified_address_unless_allowed(self, world: World) -> None:
        world.sam.emailaddress_set.update(verified=False)
        request = carrying(tokens.start_family(world.sam).access_token)
        with pytest.raises(EmailNotVerified):
            BearerAuth()(request)
        assert BearerAuth(allow_unverified=True)(request) == world.sam


class AsyncBearer(TestCase):
    def setUp(self) -> None:
        self.world = make_world()

    async def test_gives_the_person(self) -> None:
        pair = await sync_to_async(tokens.start_family)(self.world.sam)
        assert await AsyncBearerAuth()(carrying(pair.access_token)) == self.world.sam

    async def test_refuses_garbage(self) -> None:
        with pytest.raises(BadToken):
            await AsyncBearerAuth()(carrying("garbage"))

    async def test_none_without_a_header(self) -> None:
        assert AsyncBearerAuth()(RequestFactory().get("/")) is None
