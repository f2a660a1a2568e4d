"""The one entry for HTTP and sockets: `uvicorn lms.asgi:application`."""

import os
import warnings

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
# WhiteNoise gives Django the static files as plain iterators. They are small and read whole, which is no loss.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
# Loads the apps, which the consumers' imports need.
http_application = get_asgi_application()

from lms.lifespan import lifespan_application  # noqa: E402
from tutoring.routing import websocket_application  # noqa: E402

application = ProtocolTypeRouter(
    {"http": http_application, "websocket": websocket_application, "lifespan": lifespan_application}
)
