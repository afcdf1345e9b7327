"""Send a recording over the REST API, follow it, and write its captions (`pip install httpx`)."""

import os
import sys
import uuid
from pathlib import Path

import httpx

api = httpx.Client(
    base_url=f"{os.environ['TRANSCRIBE_URL']}/api/v1/",
    headers={"Authorization": f"Bearer {os.environ['TRANSCRIBE_KEY']}"},
    timeout=600,
)
recording = Path(sys.argv[1])
once = {"Idempotency-Key": str(uuid.uuid4())}  # sent again with the same key, it would be the same task
with recording.open("rb") as file:
    task = api.post("tasks", headers=once, files={"file": (recording.name, file)}).raise_for_status().json()
while task["status"] in ("queued", "processing"):
    sys.stderr.write(f"{task['progress_percentage']} %\n")
    news = {"wait": 30, "after": task["sequence"]}
    task = api.get(f"tasks/{task['identifier']}/progress", params=news).raise_for_status().json()
captions = api.get(f"tasks/{task['identifier']}/transcript.srt").raise_for_status()
sys.stdout.write(captions.text)
