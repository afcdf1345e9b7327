"""Probes a media file in a separate process. Run as a script, never imported by the service.

    python -I probe_child.py SECONDS BYTES PATH DEMUXERS SEARCH_BYTES SEARCH_MICROSECONDS

prints one JSON object: either {"failure": kind, "detail"}, or the fields of `probing.AudioInfo`, in which
those of `probing.Track` describe each sound track. It lowers its own limits first: SECONDS of processor time and
BYTES of address space.
"""

import contextlib
import itertools
import json
import re
import resource
import sys

CLOCK = re.compile(r"(\d+):(\d\d):(\d\d\.\d+)")
HANDLER = re.compile("handler|core media|gpac|mainconcept", re.IGNORECASE)
LEAST_BIT_RATE = 50  # bit/s; next to nothing but silence takes less
MOST_PACKETS = 500  # of an MP3, 13 s
PADDING = 4  # bytes; an MP3 of layer 1 or 2 may be padded by as many
DEFAULT = 0x0001  # AV_DISPOSITION_DEFAULT
ATTACHED_PICTURE = 0x0400  # AV_DISPOSITION_ATTACHED_PIC: cover art is not video


def probe(path: str, demuxers: str, search_bytes: str, search_microseconds: str) -> dict:
    import av
    from av.error import FFmpegError

    av.logging.set_level(None)
    try:
        container = av.open(
            f"file:{path}",
            metadata_errors="replace",
            container_options={
                "protocol_whitelist": "file,pipe",
                "format_whitelist": demuxers,
                "probesize": search_bytes,
                "analyzeduration": search_microseconds,
            },
        )
    except FFmpegError as error:
        return {"failure": "cannot_open", "detail": type(error).__name__}
    with container:
        sound = container.streams.audio
        pictures = [stream for stream in container.streams.video if not stream.disposition & ATTACHED_PICTURE]
        if not sound:
            return {"failure": "no_sound" if len(container.streams) else "cannot_open"}
        tracks = [describe(stream) for stream in sound]
        for track in tracks:
            track["duration"] = believable(track["duration"], container.size)
        usual = next((track for track in tracks if track["default"]), tracks[0])
        whole = container.duration / 1_000_000 if container.duration is not None else None
        return {
            "container": container.format.name,
            "duration": usual["duration"] or believable(whole, container.size),
            "start": (container.start_time or 0) / 1_000_000,
            "has_video": bool(pictures),
            "video_codec": codec_name(pictures[0]) if pictures else "",
            "varies": container.format.name == "mp3" and varies(container, sound[0]),
            "tracks": tracks,
        }


def codec_name(stream) -> str:
    codec = stream.codec_context  # None where there is no decoder
    return codec.name if codec else ""


def varies(container, stream) -> bool:
    """Whether the packets at the beginning differ in size by more than the padding of a constant bit rate."""
    from av.error import FFmpegError

    sizes = []
    with contextlib.suppress(FFmpegError):  # a damaged beginning, which decoding tells more about
        for packet in itertools.islice(container.demux(stream), MOST_PACKETS):
            sizes += [packet.size] if packet.size else []
    return bool(sizes) and max(sizes) - min(sizes) > PADDING


def describe(stream) -> dict:
    codec = stream.codec_context
    duration = None
    if stream.duration is not None and stream.time_base is not None:
        duration = float(stream.duration * stream.time_base)
    elif clock := CLOCK.fullmatch(stream.metadata.get("DURATION", "")):  # as Matroska has it
        hours, minutes, seconds = clock.groups()
        duration = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return {
        "codec": codec_name(stream),
        "sample_rate": codec.sample_rate if codec else 0,
        "channels": codec.channels if codec else 0,
        "duration": duration,
        "default": bool(stream.disposition & DEFAULT),
        "language": stream.metadata.get("language", "").removeprefix("und")[:20],
        "title": title(stream.metadata)[:100],
    }


def title(metadata: dict) -> str:
    """The title of a track. An MP4 only has the name of its handler, where programs often put their own name."""
    handler = metadata.get("handler_name", "")
    return metadata.get("title") or ("" if HANDLER.search(handler) else handler)


def believable(duration: float | None, size: int) -> float | None:
    """The duration, or None if it must come from a damaged header; decoding finds the real one."""
    return duration if duration is not None and 0 < duration * LEAST_BIT_RATE / 8 <= size else None


if __name__ == "__main__":
    seconds, size, *asked = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_AS, (int(size), int(size)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.write(json.dumps(probe(*asked)))
