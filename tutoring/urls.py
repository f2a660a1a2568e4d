from django.urls import path

from tutoring import views

app_name = "tutoring"

urlpatterns = [
    path("<slug:university>/learn/<int:offering>/<int:item>/", views.lesson, name="lesson"),
    path("<slug:university>/learn/<int:offering>/<int:item>/ask/", views.ask, name="ask"),
    path("<slug:university>/learn/<int:offering>/<int:item>/new/", views.new_session, name="new_session"),
    path("<slug:university>/tutor/", views.conversations, name="conversations"),
    path("<slug:university>/tutor/<uuid:session>/", views.conversation, name="conversation"),
    path("<slug:university>/tutor/<uuid:session>/ask/", views.conversation_ask, name="conversation_ask"),
    path("<slug:university>/tutor/<uuid:session>/stop/", views.stop, name="stop"),
]
