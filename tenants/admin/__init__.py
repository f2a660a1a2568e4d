"""Authoring pages. Other apps derive theirs from `ScopedAdmin`."""

from tenants.admin import people, platform, universities
from tenants.admin.scoped import ScopedAdmin, ScopedForm, ScopedStackedInline, ScopedTabularInline

__all__ = [
    "ScopedAdmin",
    "ScopedForm",
    "ScopedStackedInline",
    "ScopedTabularInline",
    "people",
    "platform",
    "universities",
]
