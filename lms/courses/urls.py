from django.urls import path

from lms.courses import views

app_name = "courses"
urlpatterns = [
    path("<slug:university>/media/<int:course>/<path:path>", views.media, name="media"),
]
