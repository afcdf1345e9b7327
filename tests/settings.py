"""The service's own settings, with all state in a folder that goes when the tests end.

`TEST_DATABASE=postgresql` in the environment takes a PostgreSQL of the tests' own instead of SQLite.
"""

import atexit
import os
import shutil
import tempfile

VAR = tempfile.mkdtemp(prefix="transcribe-tests-")
atexit.register(shutil.rmtree, VAR, ignore_errors=True)
os.environ["VAR_DIR"] = VAR
os.environ.pop("REDIS_URL", None)  # the tests empty the broker, so it must be their own
os.environ["MAX_REQUESTS_PER_MINUTE"] = "100000"  # tests make more than people's programs
if os.environ.get("TEST_DATABASE") == "postgresql":
    from tests import postgresql

    os.environ["DATABASE_URL"] = postgresql.start()  # for the processes that tests start, too

from transcribe_site.settings import *  # noqa: E402, F403
from transcribe_site.settings import DATABASES, VAR_DIR  # noqa: E402

if "sqlite3" in DATABASES["default"]["ENGINE"]:
    # A file, because other threads and processes take part in the tests.
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
else:
    DATABASES["default"]["ENGINE"] = "tests.postgresql"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick: many accounts, none of them real
WHITENOISE_AUTOREFRESH = True  # each test's client is a service that starts: let it not read all files of the pages
