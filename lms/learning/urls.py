from django.urls import path

from lms.learning import views

app_name = "learning"

urlpatterns = [
    path("", views.front, name="front"),
    path("<slug:university>/", views.home, name="home"),
    path("<slug:university>/courses/<slug:slug>/", views.course, name="course"),
    path("<slug:university>/offerings/<int:offering>/enroll/", views.enroll, name="enroll"),
    path("<slug:university>/offerings/<int:offering>/drop/", views.drop, name="drop"),
    path("<slug:university>/learn/<int:offering>/<int:item>/done/", views.mark_done, name="mark_done"),
    path("<slug:university>/learn/<int:offering>/<int:item>/check/", views.check_quiz, name="check_quiz"),
]
