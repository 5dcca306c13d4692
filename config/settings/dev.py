"""Settings of a checkout: what `make demo`, `make run` and `manage.py` use."""

from config.settings.base import *  # noqa: F403  settings modules extend each other so

ALLOWED_HOSTS = ["*"]
