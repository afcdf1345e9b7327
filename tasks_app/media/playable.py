"""What browsers can play, and what it is called in a response."""

from __future__ import annotations

from typing import NamedTuple

from tasks_app.pipeline.audio.probing import AudioInfo

_PCM = {"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_alaw", "pcm_mulaw"}
_MP3 = {"mp3", "mp3float"}
_VP = {"vp8", "vp9", "libdav1d", "av1", "libaom-av1"}


class _Form(NamedTuple):
    """A container whose sound and picture browsers play, where these have one of the named decoders."""

    sound: set[str]
    pictures: set[str]
    of_sound: str
    of_video: str = ""


_FORMS = {
    "wav": [_Form(_PCM, set(), "audio/wav")],
    "mp3": [_Form(_MP3, set(), "audio/mpeg")],
    "flac": [_Form({"flac"}, set(), "audio/flac")],
    "ogg": [_Form({"opus", "libopus", "vorbis", "flac"}, set(), "audio/ogg")],
    "mov,mp4,m4a,3gp,3g2,mj2": [
        _Form({"aac", "opus", "libopus", "flac", *_MP3}, {"h264", *_VP}, "audio/mp4", "video/mp4")
    ],
    "matroska,webm": [
        _Form({"opus", "libopus", "vorbis"}, _VP, "audio/webm", "video/webm"),
        # Not by every browser; one that does not says so, and gets a listening copy.
        _Form({"aac", "opus", "libopus", "vorbis", "flac", *_MP3}, {"h264", *_VP}, *2 * ("video/x-matroska",)),
    ],
}


def content_type(info: AudioInfo, track: int) -> str:
    """What a recording is served as, whose sound track `track` (from 1) was transcribed.

    Empty where browsers cannot play it, cannot find places in it, or would play another track: the file declares no
    length or has a variable bit rate without index, or it has several tracks, of which browsers choose the first.
    """
    if track != 1 or info.duration is None or info.varies:
        return ""
    sound = info.tracks[track - 1].codec
    for form in _FORMS.get(info.container, []):
        if sound in form.sound and not info.has_video:
            return form.of_sound
        if sound in form.sound and info.video_codec in form.pictures:
            return form.of_video
    return ""
