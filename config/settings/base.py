"""Settings for all ways of running."""

from django.templatetags.static import static

from config import checkout, env

BASE_DIR = env.BASE_DIR
SECRET_KEY = env.secret_key()
DEBUG = False
ALLOWED_HOSTS: list[str] = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "catalog",
    "customers",
    "usage",
    "invoicing",
    "reports",
    "billing",
    "config.apps.ProjectConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "pghistory.middleware.HistoryMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# With or without a trailing slash: the API's paths take both, without a redirect.
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"figures": "catalog.admin.figures"},
        },
    },
]

DATABASES = {"default": env.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = "catalog.admin.formats"

# Where a login without a page in mind leads.
LOGIN_REDIRECT_URL = "admin:index"

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = BASE_DIR / env.text("MEDIA_ROOT", default="media")
# Where PDFs, layouts and logos are stored: in MEDIA_ROOT, or in an S3 bucket. Only the project itself gives them out.
STORAGES = {
    "default": env.storage(),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

REDIS_URL = env.redis_url()
CELERY_BROKER_URL = REDIS_URL
# Counts requests to the APIs. Short timeouts: a cache that is away must not hold requests up.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.client_url(REDIS_URL),
        "KEY_PREFIX": "tollbook",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    },
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Workers go on trying until the broker is back.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Who sends a message does not wait for a broker that is away: the sweeper brings it later. Workers do wait.
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 0, "socket_connect_timeout": 2}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"
# PDFs and their mails have a queue of their own, and so have usage reports: no run waits for them, and no mail for the
# calls of another customer. A worker takes from all, unless it is told from which (`-Q documents`).
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_QUEUES: dict[str, dict[str, str]] = {"celery": {}, "documents": {}, "reports": {}}
CELERY_TASK_ROUTES = {
    "invoicing.render": {"queue": "documents"},
    "invoicing.deliver": {"queue": "documents"},
    "reports.produce": {"queue": "reports"},
}
CELERY_BEAT_SCHEDULE = {
    # A message that no worker took before the next one is sent is worth nothing.
    "sweep-billing-runs": {"task": "billing.sweep_runs", "schedule": 15.0, "options": {"expires": 15}},
    "run-billing-schedules": {"task": "billing.run_schedules", "schedule": 60.0, "options": {"expires": 60}},
    "sweep-usage-imports": {"task": "usage.sweep_imports", "schedule": 15.0, "options": {"expires": 15}},
    "check-completeness": {"task": "billing.check_completeness", "schedule": 3_600.0, "options": {"expires": 3_600}},
    "check-rate-cards": {"task": "billing.check_rate_cards", "schedule": 3_600.0, "options": {"expires": 3_600}},
    "count-figures": {"task": "billing.count_figures", "schedule": 300.0, "options": {"expires": 300}},
    "sweep-invoice-deliveries": {"task": "invoicing.sweep_deliveries", "schedule": 15.0, "options": {"expires": 15}},
    "sweep-invoice-renderings": {"task": "invoicing.sweep_renderings", "schedule": 15.0, "options": {"expires": 15}},
    "sweep-usage-reports": {"task": "reports.sweep", "schedule": 15.0, "options": {"expires": 15}},
    "watch-drop-folders": {"task": "usage.watch_drop_folders", "schedule": 10.0, "options": {"expires": 10}},
    "forget-idempotent-answers": {
        "task": "customers.forget_answers",
        "schedule": 3_600.0,
        "options": {"expires": 3_600},
    },
}

# How many usage records a worker rates in one transaction, about.
BILLING_CHUNK_RECORDS = 50_000
# And in a preview, which is one transaction: each chunk's temporary tables stay locked until its end.
BILLING_PREVIEW_CHUNK_RECORDS = 1_000_000
# Whether a run's invoices are posted by another person than who commenced it.
BILLING_APPROVAL_BY_ANOTHER = env.switch("BILLING_APPROVAL_BY_ANOTHER", default=False)

# For how many seconds the answer to how a customer's month stands is kept.
BILLING_MONTH_TO_DATE_SECONDS = 300
# With more pending records than this, a worker makes it, and whoever asks is told to come again.
BILLING_MONTH_TO_DATE_RECORDS = 50_000
# For how many seconds whoever makes it is waited for; then it counts as lost, and is made anew.
BILLING_MONTH_TO_DATE_CLAIM_SECONDS = 120

# The group (System, User groups) whose members are told by e-mail what went wrong with scheduled runs.
BILLING_GROUP = env.text("BILLING_GROUP", default="Billing")
# Where the pages are that mails link to.
SITE_URL = env.text("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")

# Without a mail server, mails stand in the worker's log.
EMAIL_HOST = env.text("EMAIL_HOST", default="")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = env.number("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.switch("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", default="tollbook@localhost")
# Where mails that cannot be delivered come back to; empty: to where they come from.
EMAIL_RETURN_PATH = env.text("EMAIL_RETURN_PATH", default="")

# Whether posted invoices go to their customers by themselves. Off, they go when a person sends them.
INVOICE_DELIVERY = env.switch("INVOICE_DELIVERY", default=False)
# The domain in the Message-ID of invoice mails.
INVOICE_MAIL_DOMAIN = env.text("INVOICE_MAIL_DOMAIN", default=DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip("> "))
# Files that are together larger than this, before they are encoded, are not attached: the mail has a link to them.
INVOICE_MAIL_LARGEST_BYTES = env.number("INVOICE_MAIL_LARGEST_BYTES", default=10 * 1024**2)
# For how long such a link holds.
INVOICE_LINK_DAYS = env.number("INVOICE_LINK_DAYS", default=90)
# What goes with an invoice besides its PDF: functions that give the files of an invoice by its id, and functions that
# give the invoices whose files are still being made.
INVOICE_ATTACHMENTS = ["reports.queries.files.usage_report_files"]
INVOICE_WAITS_FOR = ["reports.queries.files.invoices_with_reports_to_come"]

# Rows of usage reports that one PDF has at most: reports that would give it more are CSV in place of PDF.
REPORT_PDF_MOST_ROWS = env.number("REPORT_PDF_MOST_ROWS", default=5_000)
# Usage reports that are texts and larger than this are zipped.
REPORT_ZIPPED_ABOVE_BYTES = env.number("REPORT_ZIPPED_ABOVE_BYTES", default=2 * 1024**2)

# The most that one file of usage may hold, unpacked.
USAGE_IMPORT_LARGEST_BYTES = env.number("USAGE_IMPORT_LARGEST_BYTES", default=10 * 1024**3)
# Where the drop folders of source systems are; none is watched where it is empty. A file there is taken when nobody has
# written to it for so long.
USAGE_DROP_FOLDER = env.drop_folder(default=str(checkout.here().drop_folder))
USAGE_DROP_QUIET_SECONDS = env.number("USAGE_DROP_QUIET_SECONDS", default=30)

# How many requests a minute one key, user or address may send to the APIs.
API_REQUESTS_PER_MINUTE = 6_000

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "customers.api.authentication.ApiKeyAuthentication",
        "customers.api.authentication.StaffSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["customers.api.permissions.MayCall"],
    "DEFAULT_THROTTLE_CLASSES": ["customers.api.throttling.RequestsPerMinute"],
    "DEFAULT_RENDERER_CLASSES": ["config.api.renderers.ExactJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api.parsers.ExactJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.api.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": False,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Tollbook",
    "DESCRIPTION": "Usage billing: billing runs, invoices, usage data records and their imports.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": ["config.api.schema.complete_document"],
    "ENUM_NAME_OVERRIDES": {},
}

# The admin. Its pages are named by path: settings import nothing of the apps.
UNFOLD = {
    "SITE_TITLE": "Tollbook",
    "SITE_HEADER": "Tollbook",
    "SITE_SUBHEADER": "Usage billing",
    "SITE_SYMBOL": "receipt_long",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("tollbook/icon.svg")}],
    "STYLES": [lambda _: static("tollbook/admin.css")],
    "DASHBOARD_CALLBACK": "billing.admin.dashboard.landing_page",
    "SIDEBAR": {"show_search": True, "navigation": "billing.admin.navigation.sidebar"},
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        },
    },
}
