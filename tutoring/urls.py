from django.urls import path

from tutoring.views import conversations, lessons

app_name = "tutoring"

urlpatterns = [
    path("<slug:university>/learn/<int:offering>/<int:item>/", lessons.lesson, name="lesson"),
    path("<slug:university>/learn/<int:offering>/<int:item>/ask/", lessons.ask, name="ask"),
    path("<slug:university>/learn/<int:offering>/<int:item>/new/", lessons.new_session, name="new_session"),
    path("<slug:university>/tutor/", conversations.conversations, name="conversations"),
    path("<slug:university>/tutor/<uuid:session>/", conversations.conversation, name="conversation"),
    path("<slug:university>/tutor/<uuid:session>/ask/", conversations.conversation_ask, name="conversation_ask"),
    path("<slug:university>/tutor/<uuid:session>/stop/", conversations.stop, name="stop"),
]
