"""Settings of the test suite."""

import os

from config.settings.base import *  # noqa: F403  settings modules extend each other so

DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405
DATABASES["default"]["TEST"] = {"NAME": os.environ.get("TEST_DATABASE_NAME", "test_tollbook")}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
# Look for a static file when it is asked for: listing all of them costs every test that makes a client.
WHITENOISE_AUTOREFRESH = True
