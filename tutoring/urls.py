from django.urls import path

from tutoring.views import conversations, exports, lessons, replies, sharing

app_name = "tutoring"

urlpatterns = [
    path("share/<str:token>/", sharing.shared, name="shared"),
    path("<slug:university>/learn/<int:offering>/<int:item>/", lessons.lesson, name="lesson"),
    path("<slug:university>/learn/<int:offering>/<int:item>/ask/", replies.ask, name="ask"),
    path("<slug:university>/learn/<int:offering>/<int:item>/new/", lessons.new_session, name="new_session"),
    path("<slug:university>/tutor/", conversations.conversations, name="conversations"),
    path("<slug:university>/tutor/<uuid:session>/", conversations.conversation, name="conversation"),
    path("<slug:university>/tutor/<uuid:session>/ask/", replies.conversation_ask, name="conversation_ask"),
    path("<slug:university>/tutor/<uuid:session>/regenerate/", replies.regenerate, name="regenerate"),
    path("<slug:university>/tutor/<uuid:session>/stop/", replies.stop, name="stop"),
    path("<slug:university>/tutor/<uuid:session>/feedback/", replies.rate, name="rate"),
    path("<slug:university>/tutor/<uuid:session>/rename/", conversations.rename, name="rename"),
    path("<slug:university>/tutor/<uuid:session>/delete/", conversations.delete, name="delete"),
    path("<slug:university>/tutor/<uuid:session>/export.md", exports.export_markdown, name="export_markdown"),
    path("<slug:university>/tutor/<uuid:session>/export.json", exports.export_json, name="export_json"),
    path("<slug:university>/tutor/<uuid:session>/share/", sharing.share, name="share"),
    path("<slug:university>/tutor/<uuid:session>/shares/<uuid:share>/revoke/", sharing.revoke, name="revoke_share"),
]
