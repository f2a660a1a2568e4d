from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Universities and people"


class ColloquyAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site; named in INSTALLED_APPS in its place."""

    default = False
    default_site = "tenants.admin_site.ColloquyAdminSite"
