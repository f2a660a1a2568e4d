from django.urls import path

from tenants import views

app_name = "tenants"

urlpatterns = [
    path("accounts/profile/", views.profile, name="profile"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("<slug:university>/join/", views.join, name="join"),
]
