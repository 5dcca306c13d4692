"""Settings of a server that others reach. Every secret and every name comes from the environment.

SECRET_KEY and ALLOWED_HOSTS have to be set; DATABASE_URL and REDIS_URL should be. Names in a list are parted by commas.
"""

from config import env

SECRET_KEY = env.required("SECRET_KEY")

from config.settings.base import *  # noqa: E402, F403  the key first: the base would make one of its own

DEBUG = False
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or [env.required("ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS") or [f"https://{host}" for host in ALLOWED_HOSTS if host != "*"]
SITE_URL = env.text("SITE_URL", default=f"https://{ALLOWED_HOSTS[0]}").rstrip("/")

# A server watches no drop folder unless it is told where it is.
USAGE_DROP_FOLDER = env.drop_folder(default="")

# HTTPS only. A proxy in front that ends TLS has to set X-Forwarded-Proto itself, and say so here with BEHIND_PROXY=1.
SECURE_SSL_REDIRECT = env.switch("SECURE_SSL_REDIRECT", default=True)
if env.switch("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", default=30 * 24 * 3600)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.switch("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.switch("SECURE_HSTS_PRELOAD", default=False)
# Other names below this host's, and a list that browsers ship, are the operator's to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Collected once by `manage.py collectstatic`, compressed, and cached for good under names that change with the content.
STATIC_ROOT = BASE_DIR / "staticfiles"  # noqa: F405
WHITENOISE_USE_FINDERS = False
STORAGES = {
    "default": env.storage(),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
