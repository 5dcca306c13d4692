"""WSGI entry point, for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from config.embedded import ensure_services_or_exit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
# A broker that is away must not keep the pages and the API away: the sweeper picks up what it missed.
ensure_services_or_exit(broker=False)
application = get_wsgi_application()
