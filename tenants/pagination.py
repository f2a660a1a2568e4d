"""How every list of the API is cut: `?limit=&offset=`, answered as `{"items": [...], "count": n}`."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Field, Schema
from ninja.pagination import PaginationBase


class Pages(PaginationBase):
    """`@paginate(Pages)` on an operation that returns a queryset in a fixed order."""

    class Input(Schema):
        limit: int = Field(20, ge=1, le=100)
        # Bounded, because PostgreSQL refuses an offset beyond its integers with an error.
        offset: int = Field(0, ge=0, le=1_000_000)

    def paginate_queryset(
        self, queryset: QuerySet[Any], pagination: Input, request: HttpRequest, **params: Any
    ) -> dict[str, Any]:
        rows = queryset[pagination.offset : pagination.offset + pagination.limit]
        return {"items": list(rows), "count": self._items_count(queryset)}
