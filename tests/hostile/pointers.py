"""Files that only point elsewhere: at another file of this machine, or at a server."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from .recordings import recorded
from .specimen import Specimen, Surroundings

TEXTS = {
    "m3u8": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n",
    "m3u8 with a key": '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-KEY:METHOD=AES-128,URI="{}"\n#EXTINF:9,\n{}\n',
    "m3u8 with a map": '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-MAP:URI="{}"\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n',
    "m3u8 of m3u8": '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="mp4a.40.2"\n{}\n',
    "m3u": "{}\n",
    "pls": "[playlist]\nFile1={}\nNumberOfEntries=1\nVersion=2\n",
    "asx": '<asx version="3.0"><entry><ref href="{}"/></entry></asx>',
    "asf reference": "[Reference]\nRef1={}\n",
    "ffconcat": "ffconcat version 1.0\nfile '{}'\n",
    "concat": "file '{}'\n",
    "ffmetadata": ";FFMETADATA1\ntitle={}\n",
    "dash": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
    '<Period duration="PT9S"><AdaptationSet mimeType="audio/wav"><Representation id="1" bandwidth="9">'
    "<BaseURL>{}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "smooth streaming": '<?xml version="1.0"?><SmoothStreamingMedia MajorVersion="2">'
    '<StreamIndex Type="audio" Url="{}"/></SmoothStreamingMedia>',
    "imf": '<?xml version="1.0"?><AssetMap xmlns="http://www.smpte-ra.org/schemas/429-9/2007/AM"><AssetList><Asset>'
    "<ChunkList><Chunk><Path>{}</Path></Chunk></ChunkList></Asset></AssetList></AssetMap>",
    "imf cpl": '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"><Id>{}</Id>'
    "</CompositionPlaylist>",
    "xspf": '<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track><location>{}'
    "</location></track></trackList></playlist>",
    "smil": '<smil><body><audio src="{}"/></body></smil>',
    "wpl": '<?wpl version="1.0"?><smil><body><seq><media src="{}"/></seq></body></smil>',
    "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns={}\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n",
    "shortcut": "[InternetShortcut]\r\nURL={}\r\n",
    "qtl": '<?xml version="1.0"?><?quicktime type="application/x-quicktime-media-link"?><embed src="{}"/>',
    "filter graph": "amovie={}",
    "subfile": "subfile,,start,0,end,0,,:{}",
    "avisynth": 'DirectShowSource("{}")\n',
    "jacosub and the like": "[Script Info]\n; {}\n[Events]\n",
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{}"/></svg>',
}
DISGUISES: dict[str, Callable[[bytes], bytes]] = {
    "behind a byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "behind 8 KiB of blanks": lambda text: b" \n" * 4096 + text,
    "behind a comment of 8 KiB": lambda text: b"#" * 8192 + b"\n" + text,
    "behind an ID3 tag": lambda text: b"ID3\4\0\0\0\0\0\0" + text,
    "in UTF-16": lambda text: text.decode().encode("utf-16"),
    "behind a recording's head": lambda text: recorded("wav")[:44] + text,
    "behind a recording": lambda text: recorded("mp3") + text,
    "as the comment of a recording": lambda text: b"ID3\3\0\0\0\0" + _comment(text) + recorded("mp3"),
    "in capitals": lambda text: text.replace(b"#ext", b"#EXT").swapcase(),
}


def specimens() -> Iterator[Specimen]:
    refused = frozenset({"PLAYLIST_FILE", "NOT_AUDIO"})
    for name, text in TEXTS.items():
        for where, target in TARGETS.items():
            yield Specimen("playlist", f"{name} of {where}", _laid(text, target), refused)
    for name in ("m3u8", "ffconcat", "dash", "sdp"):
        for how, disguise in DISGUISES.items():
            target = TARGETS["a file"]
            yield Specimen("disguised playlist", f"{name} {how}", _laid(TEXTS[name], target, disguise))
    for where, target in TARGETS.items():
        yield Specimen(
            "reference movie",
            f"data of {where}",
            lambda path, around, target=target: path.write_bytes(movie_of_elsewhere(target(around))),
        )
        yield Specimen(
            "reference movie",
            f"movie of {where}",
            lambda path, around, target=target: path.write_bytes(reference_movie(target(around))),
            frozenset({"TRUNCATED_FILE", "NOT_AUDIO"}),
        )


TARGETS: dict[str, Callable[[Surroundings], str]] = {
    "a file": lambda around: str(around.canary),
    "a file beside it": lambda around: around.canary.name,
    "a server": lambda around: around.url,
}


def _laid(
    text: str, target: Callable[[Surroundings], str], disguise: Callable[[bytes], bytes] = bytes
) -> Callable[[Path, Surroundings], object]:
    return lambda path, around: path.write_bytes(disguise(text.replace("{}", target(around)).encode()))


def _comment(text: bytes) -> bytes:
    """The rest of an ID3 tag with `text` in it (its size's last two bytes, then one frame)."""
    frame = b"COMM" + struct.pack(">IH", len(text) + 5, 0) + b"\0eng\0" + text
    return bytes([len(frame) >> 7, len(frame) & 0x7F]) + frame


def reference_movie(target: str) -> bytes:
    """A QuickTime movie that is only a reference to another (QuickTime File Format, `rmra`)."""
    reference = box(b"rdrf", struct.pack(">I4sI", 0, b"url ", len(target) + 1) + target.encode() + b"\0")
    return box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", box(b"rmra", box(b"rmda", reference)))


def movie_of_elsewhere(target: str) -> bytes:
    """A QuickTime movie whose samples lie in another file (`dref` with an alias and with a URL)."""
    path = target.encode()
    name = path.rsplit(b"/", 1)[-1]
    alias = (
        bytes(10) + b"\4disk".ljust(28, b"\0") + bytes(12) + (bytes([len(name)]) + name).ljust(64, b"\0") + bytes(16)
    )
    alias += struct.pack(">hh", 1, 1) + bytes(16)
    padded = path + bytes(len(path) % 2)
    alias += struct.pack(">HH", 2, len(path)) + padded + struct.pack(">HH", 18, len(path)) + padded
    alias += struct.pack(">hH", -1, 0)
    elsewhere = box(b"dref", struct.pack(">II", 0, 1) + box(b"alis", bytes(4) + alias))
    content = recorded("mov adpcm_ima_qt")
    return replace_box(content, (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"), elsewhere)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def replace_box(content: bytes, way: tuple[bytes, ...], new: bytes) -> bytes:
    """`content` with the first box at the end of `way` replaced, and all sizes around it corrected."""
    start = 0
    while content[start + 4 : start + 8] != way[0]:
        start += int.from_bytes(content[start : start + 4], "big")
    end = start + int.from_bytes(content[start : start + 4], "big")
    if len(way) > 1:
        new = box(way[0], replace_box(content[start + 8 : end], way[1:], new))
    return content[:start] + new + content[end:]
