"""The service's own settings, with all state in a folder that goes when the tests end."""

import atexit
import os
import shutil
import tempfile

VAR = tempfile.mkdtemp(prefix="transcribe-tests-")
atexit.register(shutil.rmtree, VAR, ignore_errors=True)
os.environ["VAR_DIR"] = VAR
os.environ.pop("REDIS_URL", None)  # the tests empty the broker, which must be nobody's but theirs

from transcribe_site.settings import *  # noqa: E402, F403
from transcribe_site.settings import DATABASES, VAR_DIR  # noqa: E402

if "sqlite3" in DATABASES["default"]["ENGINE"]:
    # A file, because other threads and processes take part in the tests.
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick: many accounts, none of them real
