from typing import ClassVar

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps

from tenants.register import Wall


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Universities and people"
    # With the tables of libraries: they are about people, or about the installation.
    walls: ClassVar = {
        "Country": Wall.GLOBAL,
        "University": Wall.DIRECTORY,
        "Department": Wall.TENANT,
        "User": Wall.GLOBAL,
        "UserProfile": Wall.GLOBAL,
        "Membership": Wall.TENANT_OR_OWN,
        "AuditEntry": Wall.RECORD,
        "TokenFamily": Wall.GLOBAL,
        "RateWindow": Wall.PLATFORM,
        "account.EmailAddress": Wall.GLOBAL,
        "account.EmailConfirmation": Wall.GLOBAL,
        "admin.LogEntry": Wall.RECORD,
        "auth.Group": Wall.PLATFORM,
        "auth.Group_permissions": Wall.PLATFORM,
        "auth.Permission": Wall.PLATFORM,
        "contenttypes.ContentType": Wall.GLOBAL,
        "sessions.Session": Wall.GLOBAL,
    }

    def ready(self) -> None:
        from tenants import account_rates, checks  # noqa: F401  # registers the checks

        account_rates.install()


class ColloquyAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site; named in INSTALLED_APPS in its place."""

    default = False
    default_site = "tenants.admin_site.ColloquyAdminSite"
