"""The Celery application: worker and beat."""

import os

from celery import Celery, signals

from config.embedded import ensure_services_or_exit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
app = Celery("tollbook")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.celeryd_init.connect
@signals.beat_init.connect
def have_services(**_: object) -> None:
    """Have the servers run before a worker or beat connects to them."""
    ensure_services_or_exit()
