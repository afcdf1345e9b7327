#!/bin/sh
# Captions of a recording: sh curl.sh recording.mp3 > recording.srt
set -eu
curl --fail-with-body --silent --show-error "$TRANSCRIBE_URL/v1/audio/transcriptions" \
  --header "Authorization: Bearer $TRANSCRIBE_KEY" \
  --form "file=@$1" --form response_format=srt
