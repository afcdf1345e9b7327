"""The API of OpenAI for recordings, as its clients speak it: `/v1/audio/transcriptions` and what belongs to it."""
