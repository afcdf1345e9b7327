"""What is in a media file, found out in a process of its own. Run as a script, never imported by the service.

    python -I probe_child.py PATH DEMUXERS SECONDS BYTES

prints one JSON object: either {"failure": kind} or {"container", "codec", "duration", "sample_rate", "channels",
"has_video"}. It lowers its own limits first: SECONDS of processor time and BYTES of address space.
"""

import json
import resource
import sys

LEAST_BIT_RATE = 50  # bit/s; next to nothing but silence takes less
ATTACHED_PICTURE = 0x0400  # AV_DISPOSITION_ATTACHED_PIC: cover art is no video


def probe(path: str, demuxers: str) -> dict:
    import av
    from av.error import FFmpegError

    av.logging.set_level(None)
    try:
        container = av.open(
            f"file:{path}",
            metadata_errors="replace",
            container_options={"protocol_whitelist": "file,pipe", "format_whitelist": demuxers},
        )
    except FFmpegError as error:
        return {"failure": "cannot_open", "detail": type(error).__name__}
    with container:
        sound = container.streams.audio
        pictures = [stream for stream in container.streams.video if not stream.disposition & ATTACHED_PICTURE]
        if not sound:
            return {"failure": "no_sound" if len(container.streams) else "cannot_open"}
        stream = sound[0]
        duration = None
        if stream.duration is not None and stream.time_base is not None:
            duration = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            duration = container.duration / 1_000_000
        if duration is not None and not 0 < duration * LEAST_BIT_RATE / 8 <= container.size:
            duration = None  # a damaged header: decoding will tell
        return {
            "container": container.format.name,
            "codec": stream.codec_context.name,
            "duration": duration,
            "sample_rate": stream.codec_context.sample_rate,
            "channels": stream.codec_context.channels,
            "has_video": bool(pictures),
        }


if __name__ == "__main__":
    file_path, allowed, seconds, size = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_AS, (int(size), int(size)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.write(json.dumps(probe(file_path, allowed)))
