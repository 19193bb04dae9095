"""Read the whole configuration from the environment, and refuse to start unsafe.

Every variable has a working default for a trial on one machine; `DEBUG` is off unless asked for.
A `.env` file beside `manage.py` is read if it exists; the environment wins over it.
"""

import sys
from pathlib import Path
from typing import Any

import dj_database_url
import dj_email_url
import django_stubs_ext
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy
from environs import Env

from core import embedded_postgres, local_secret

# Lets Django's generic classes be subscripted at run time, as the type checker has them.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
env.read_env(BASE_DIR / ".env", recurse=False)

DEBUG = env.bool("DEBUG", default=False)
# A trial has a secret of its own, made on first use and kept outside version control.
SECRET_KEY = env.str("SECRET_KEY", default="") or local_secret.read_or_create(BASE_DIR / "var" / "secret_key")
# What audit trails are sealed with: the first seals, all are known. A new key goes before the old ones.
AUDIT_KEYS = [key for key in env.str("AUDIT_KEYS", default="").split(",") if key] or [
    local_secret.read_or_create(BASE_DIR / "var" / "audit_key")
]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
if "*" in ALLOWED_HOSTS:
    # The websocket origin check would then pass every site on the internet.
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts this plant is reached by; '*' is refused.")
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    # It makes `runserver` speak websockets; nothing else needs the half second and 25 MB of what it loads.
    *(["daphne"] if "runserver" in sys.argv else []),
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "channels",
    "rest_framework",
    "django_filters",
    "crispy_forms",
    "crispy_bootstrap5",
    "import_export",
    "simple_history",
    "tree_queries",
    "pgtrigger",
    "rest_framework_api_key",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "csp",
    "procrastinate.contrib.django",
    "core",
    "operations",
    "enterprise",
    "accounts",
    "labels",
    "products",
    "downtime",
    "counts",
    "workorders",
    "materials",
    "labor",
    "andon",
    "quality",
    "tracking",
    "oee",
    "maintenance",
    "advice",
    "execution",
    "scheduling",
    "dashboards",
    "batchrecords",
    "ingest",
    "live",
    "screens",
    "reports",
    "connectors",
    "erp",
    "simulator",
]

# Django apps of the plant's own that hear what happened (docs/hooks.md), by the names of their packages.
INSTALLED_APPS += env.list("PLUGINS", default=[])

MIDDLEWARE = [
    "core.middleware.DatabaseOutageMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "core.middleware.AdminContentSecurityPolicyMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
    "core.middleware.SharedReadsMiddleware",
    "accounts.throttling.RateLimitMiddleware",
]

ROOT_URLCONF = "mes_project.urls"
ASGI_APPLICATION = "mes_project.asgi.application"
WSGI_APPLICATION = "mes_project.wsgi.application"

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
                "screens.navigation.bar",
            ],
        },
    },
]

# --- The database: PostgreSQL, embedded unless DATABASE_URL names a server -------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default="")
_database: dict[str, Any] = (
    dict(dj_database_url.parse(DATABASE_URL)) if DATABASE_URL else embedded_postgres.django_database()
)
if "postgresql" not in _database["ENGINE"]:
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL server: postgres://user:password@host/name")
_database |= {
    "CONN_MAX_AGE": 0,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {
        **_database.get("OPTIONS", {}),
        # A database that comes back is found within seconds, however long it was away.
        "pool": {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", default=16),
            "timeout": 4,
            "reconnect_timeout": 2,
        },
    },
    "TEST": {"NAME": env.str("MES_TEST_DB", default=f"test_{_database['NAME']}")},
}
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# With REDIS_URL the live bus travels by Redis; without it, by PostgreSQL's NOTIFY. Writes never depend on it.
REDIS_URL = env.str("REDIS_URL", default="")
CHANNEL_LAYERS: dict[str, Any] = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# --- People ----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "accounts.backends.RoleBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = reverse_lazy("login")
LOGIN_REDIRECT_URL = reverse_lazy("screens:home")
LOGOUT_REDIRECT_URL = reverse_lazy("login")
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False

# --- Safety of the browser -------------------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("SECURE_COOKIES", default=False)
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=0)
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
        "worker-src": [SELF],
    }
}
# Bodies are JSON and small; the device door has a limit of its own (ingest/asgi.py).
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
INGEST_MAX_BODY_BYTES = env.int("INGEST_MAX_BODY_BYTES", default=8 * 1024 * 1024)

# --- Language and time: stored in UTC, shown in the site's zone ------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("pl", "Polski")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["mes_project.formats"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# --- Static files ----------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# --- E-mail ----------------------------------------------------------------------------------------------------------

# smtp+tls://user:password@host:587, or console:; without it, mails are written to files, to be looked at.
EMAIL_URL = env.str("EMAIL_URL", default="")
_email = dj_email_url.parse(EMAIL_URL) if EMAIL_URL else {}
EMAIL_BACKEND = _email.get("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = _email.get("EMAIL_FILE_PATH") or str(BASE_DIR / "var" / "mail")
EMAIL_HOST, EMAIL_PORT = _email.get("EMAIL_HOST") or "localhost", _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_USER") or "", _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _email.get("EMAIL_USE_TLS", False), _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("EMAIL_FROM", default="mes@localhost")
# Where people reach the plant: links in mails and files lead there.
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000").rstrip("/")

# --- Background work -------------------------------------------------------------------------------------------------

# Tasks lie in the same database; the worker (`manage.py work`) is their only runner.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"
# Files of lists made in the background are kept so many days, for who asked for them.
EXPORTS_KEEP_DAYS = env.int("EXPORTS_KEEP_DAYS", default=7)

# --- Backups -------------------------------------------------------------------------------------------------------

BACKUP_DIR = Path(env.str("BACKUP_DIR", default="") or BASE_DIR / "var" / "backups")
# So many good ones are kept; one is made so many hours after the last (0 = only when somebody asks).
BACKUP_KEEP = env.int("BACKUP_KEEP", default=30)
BACKUP_EVERY_HOURS = env.float("BACKUP_EVERY_HOURS", default=24.0)
# Where encrypted copies go (a mounted share), and what with: `manage.py backup_key` makes a key.
BACKUP_COPY_DIR = env.str("BACKUP_COPY_DIR", default="")
BACKUP_COPY_KEY = env.str("BACKUP_COPY_KEY", default="")
if BACKUP_KEEP < 1:
    raise ImproperlyConfigured("BACKUP_KEEP must be at least 1.")
if BACKUP_COPY_DIR and not BACKUP_COPY_KEY:
    raise ImproperlyConfigured("BACKUP_COPY_DIR needs BACKUP_COPY_KEY: copies elsewhere are encrypted.")
# The folder of pg_dump and pg_restore, where those that are found do not fit the server.
POSTGRES_PROGRAMS = env.str("POSTGRES_PROGRAMS", default="")

# --- The ERP and other systems ----------------------------------------------------------------------------------------

# Where webhooks may be sent: https://erp.example.com,http://10.1.2.3:8080. Empty = nowhere.
WEBHOOK_TARGETS: list[str] = env.list("WEBHOOK_TARGETS", default=[])
# Inside networks that such a target may lie in: 10.1.2.0/24. Addresses of the internet need no entry.
WEBHOOK_NETWORKS: list[str] = env.list("WEBHOOK_NETWORKS", default=[])
# Messages that every partner has are kept for so many days.
OUTBOX_KEEP_DAYS = env.int("OUTBOX_KEEP_DAYS", default=90)

# --- Labels ----------------------------------------------------------------------------------------------------------

# A TrueType font for the texts on labels; the one that comes along has Latin, Greek and Cyrillic letters.
LABEL_FONT = env.str("LABEL_FONT", default="")

# --- REST ------------------------------------------------------------------------------------------------------------

# How long the answers to requests with an Idempotency-Key are kept, to answer their repetitions alike.
IDEMPOTENCY_KEEP_HOURS = env.int("IDEMPOTENCY_KEEP_HOURS", default=24)
# How often one client key may ask of REST, over all processes: 600/m, 20/s; empty = as often as it likes.
RATE_LIMIT = env.str("RATE_LIMIT", default="6000/m")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ClientKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.BasicAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttling.KeyThrottle"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.RolePermission"],
    "DEFAULT_FILTER_BACKENDS": [
        "accounts.permissions.SiteScopeFilter",
        "django_filters.rest_framework.DjangoFilterBackend",
        "core.filters.CustomFieldFilter",
        "rest_framework.filters.SearchFilter",
        "core.filters.SortedAs",
    ],
    "DEFAULT_PAGINATION_CLASS": "core.pagination.BoundedPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "core.exports.CsvRenderer",
        "core.exports.XlsxRenderer",
    ],
    "DEFAULT_PARSER_CLASSES": ["core.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "accounts.schema.ScopedSchema",
    "EXCEPTION_HANDLER": "core.api.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Manufacturing Execution System",
    "DESCRIPTION": (
        "Where things are, what is made, what machines report, and the OEE that follows from it. "
        "[What each KPI means, and its formula](/kpis/)."
    ),
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "showExtensions": True},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "ENUM_NAME_OVERRIDES": {
        "WorkOrderStatusEnum": "workorders.models.WorkOrder.Status",
        "BatchRecordStatusEnum": "batchrecords.models.BatchRecord.Status",
        "SignatureMeaningEnum": "batchrecords.models.Signature.Meaning",
        "ClosingMeaningEnum": "oee.models.ShiftClosing.Meaning",
        "OperationStatusEnum": "workorders.models.Operation.Status",
        "OrderReasonKindEnum": "workorders.models.OrderReason.Kind",
        "PickingPolicyRuleEnum": "materials.models.PickingPolicy.Rule",
        "LotSizingRuleEnum": "workorders.models.LotSizing.Rule",
        "ContainerKindEnum": "materials.container_models.Container.Kind",
        "ContainerStatusEnum": "materials.container_models.Container.Status",
        "ContainerStepKindEnum": "materials.container_models.StepKind",
        "LocationKindEnum": "materials.models.Location.Kind",
        "LotStatusEnum": "materials.models.LotStatus",
        "MaterialTransactionKindEnum": "materials.models.Kind",
        "ChangeoverKindEnum": "workorders.models.Changeover.Kind",
        "ChangeoverPhaseEnum": "workorders.models.ChangeoverPhase.Phase",
        "FirstPieceEnum": "workorders.models.Changeover.Inspection",
        "LaborKindEnum": "labor.models.LaborEntry.Kind",
        "AbsenceKindEnum": "labor.models.Absence.Kind",
        "InspectionPlanKindEnum": "quality.models.InspectionPlan.Kind",
        "InspectionPlanStatusEnum": "quality.models.InspectionPlan.Status",
        "CharacteristicKindEnum": "quality.models.Characteristic.Kind",
        "SamplingRuleKindEnum": "quality.models.SamplingRule.Kind",
        "ControlChartKindEnum": "quality.models.ControlChart.Kind",
        "CorrectiveActionKindEnum": "quality.models.CorrectiveAction.Kind",
        "EffectivenessEnum": "quality.models.CorrectiveAction.Verdict",
        "DispositionEnum": "quality.models.InspectionDecision.Step",
        "InspectionStatusEnum": "quality.models.Inspection.Status",
        "InspectionResultEnum": "quality.models.Inspection.Outcome",
        "CalibrationResultEnum": "quality.models.Calibration.Outcome",
        "ResultVerdictEnum": "quality.models.Result.Verdict",
        "NonConformanceStatusEnum": "quality.models.NonConformance.Status",
        "StageFieldKindEnum": "tracking.models.StageField.Kind",
        "UnitEventKindEnum": "tracking.models.UnitEvent.Kind",
        "UnitStatusEnum": "tracking.models.UNIT_STATUSES",
        "StageStateEnum": "tracking.models.STAGE_STATES",
        "StageFormStatusEnum": "tracking.models.StageForm.Status",
        "OperationRunKindEnum": "execution.models.OperationRun.Kind",
        "ExecutionRuleEnum": "execution.models.ExecutionPolicy.Rule",
        "MaintenanceBasisEnum": "maintenance.models.Basis",
        "MaintenanceStatusEnum": "maintenance.models.MaintenanceOrder.Status",
        "MaintenanceKindEnum": "maintenance.models.MaintenanceOrder.Kind",
        "AdviceKindEnum": "advice.models.Kind",
        "RecommendationStatusEnum": "advice.models.Recommendation.Status",
        "RecommendationStepKindEnum": "advice.models.RecommendationStep.Kind",
        "MaintenanceStepKindEnum": "maintenance.models.MaintenanceStep.Kind",
        "RoleEnum": "accounts.models.Role",
        "AndonStatusEnum": "andon.models.AndonCall.Status",
        "AndonStepKindEnum": "andon.models.AndonStep.Kind",
        "AndonToneEnum": "andon.models.CallType.Tone",
        "EscalationUntilEnum": "andon.models.EscalationStep.Until",
        "LabelSymbologyEnum": "labels.models.LabelLayout.Kind",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "ingest.openapi.add_device_door",
    ],
}

# --- Forms, imports, history -----------------------------------------------------------------------------------------

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
IMPORT_EXPORT_SKIP_ADMIN_CONFIRM = False
SIMPLE_HISTORY_HISTORY_ID_USE_UUID = False
PGTRIGGER_MIGRATIONS = True

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "MES",
    "SITE_HEADER": "MES",
    "SITE_SUBHEADER": "Administration",
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("img/logo.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/logo.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "6px",
    "STYLES": [lambda request: static("css/tokens.css"), lambda request: static("css/admin.css")],
    "DASHBOARD_CALLBACK": "screens.admin_overview.overview",
    "SIDEBAR": {"navigation": "screens.admin_menu.navigation", "show_search": True},
    "COMMAND": {"search_models": False},
    # The scale around the accent of static/css/tokens.css: 600 on light ground, 400 on dark.
    "COLORS": {
        "primary": {
            "50": "#eff4fd",
            "100": "#dbe7fb",
            "200": "#bcd3f8",
            "300": "#8db4f2",
            "400": "#6ea8ff",
            "500": "#2f6fdb",
            "600": "#1757c2",
            "700": "#13489f",
            "800": "#133d82",
            "900": "#14346b",
            "950": "#0f2a4a",
        }
    },
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} [{request_id}]: {message}", "style": "{"}},
    "filters": {"request_id": {"()": "core.request_ids.RequestIdFilter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
    # It tells of each start and each task.
    "loggers": {"procrastinate": {"level": "WARNING"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
