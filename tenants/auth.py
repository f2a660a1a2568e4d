"""Who is calling the API: the bearer token of the `Authorization` header, read on each request."""

from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from ninja.security import HttpBearer

from tenants.models import User
from tenants.tokens import user_for_access_token

__all__ = ["AsyncBearerAuth", "BearerAuth", "user_for_access_token"]


class BearerAuth(HttpBearer):
    """`request.auth` becomes the `User`. People without a verified address get 403 unless they are allowed."""

    def __init__(self, *, allow_unverified: bool = False) -> None:
        super().__init__()
        self.allow_unverified = allow_unverified

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        return user_for_access_token(token, allow_unverified=self.allow_unverified)


class AsyncBearerAuth(BearerAuth):
    """The same for `async def` operations."""

    async def authenticate(self, request: HttpRequest, token: str) -> User:
        return await sync_to_async(user_for_access_token)(token, allow_unverified=self.allow_unverified)
