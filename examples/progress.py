"""Send a recording and watch its progress on the WebSocket (`pip install httpx websockets`)."""

import json
import os
import sys
from pathlib import Path

import httpx
from websockets.sync.client import connect

address, key = os.environ["TRANSCRIBE_URL"], {"Authorization": f"Bearer {os.environ['TRANSCRIBE_KEY']}"}
recording = Path(sys.argv[1])
answer = httpx.post(
    f"{address}/tasks", headers=key, files={"file": (recording.name, recording.read_bytes())}, timeout=600
)
answer.raise_for_status()
task = answer.json()["identifier"]
with connect(f"{address.replace('http', 'ws', 1)}/ws/tasks/{task}", additional_headers=key) as socket:
    for message in socket:
        frame = json.loads(message)
        if frame["type"] == "segment":
            sys.stdout.write(f"{frame['start']:7.1f}  {frame['text']}\n")
        if frame.get("status") in ("completed", "failed", "cancelled"):
            sys.stdout.write(f"{frame['status']}\n")
            break
