"""The text of a recording while it is recognised, with OpenAI's own package (`pip install openai`)."""

import os
import sys
from pathlib import Path

from openai import OpenAI

client = OpenAI(base_url=f"{os.environ['TRANSCRIBE_URL']}/v1", api_key=os.environ["TRANSCRIBE_KEY"])
events = client.audio.transcriptions.create(model="whisper-1", file=Path(sys.argv[1]), stream=True)
for event in events:
    if event.type == "transcript.text.delta":
        sys.stdout.write(event.delta)
        sys.stdout.flush()
sys.stdout.write("\n")
