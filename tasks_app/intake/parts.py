"""Where the bytes of an upload in parts are kept until it is complete."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.conf import settings


def parts_file(identifier: UUID) -> Path:
    return settings.FILE_UPLOAD_TEMP_DIR / "incoming" / identifier.hex
