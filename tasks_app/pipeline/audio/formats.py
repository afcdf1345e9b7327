"""File formats of recordings: which may be read, how they begin, and what to say about the others."""

from __future__ import annotations

import re

# Demuxers that read sound from one file by its content. Others are left out on purpose: hls, dash, concat, sdp,
# imf and the like refer to other files, image2 takes patterns for names, and raw formats accept any bytes at all.
DEMUXERS = (
    "3dostr,4xm,aa,aac,aax,ac3,ace,acm,act,adp,ads,adx,aea,afc,aiff,aix,alp,amr,apac,apc,ape,apm,argo_asf,"
    "argo_brp,argo_cvg,asf,ast,au,avi,avr,avs,bethsoftvid,bfi,bfstm,bink,binka,bit,bmv,boa,bonk,brstm,c93,caf,"
    "codec2,dcstr,derf,dhav,dsf,dsicin,dss,dts,dtshd,dv,dxa,ea,eac3,epaf,film_cpk,flac,flv,fsb,fwse,gdv,genh,gxf,"
    "hca,hcom,hnm,hxvs,iamf,iff,ifv,ilbc,ipmovie,ircam,iss,iv8,ivr,jv,kux,kvag,laf,lc3,live_flv,lmlm4,loas,luodat,"
    "lvf,lxf,matroska,mca,mgsts,mlp,mlv,mm,mmf,mods,moflex,mov,mp3,mpc,mpc8,mpeg,mpegts,msf,mtaf,mtv,musx,mv,mvi,"
    "mxf,nc,nistsphere,nsp,nsv,nut,nuv,ogg,oma,osq,paf,pmp,pp_bnk,psxstr,pva,pvf,qcp,qoa,r3d,redspark,rka,rl2,rm,"
    "roq,rpl,rsd,rso,s337m,scd,sdns,sds,sdx,sga,shn,siff,simbiosis_imx,smjpeg,smk,smush,sol,sox,spdif,svag,svs,"
    "swf,tak,thp,tiertexseq,tmv,truehd,tta,ty,usm,vag,vividas,vivo,vmd,voc,vpk,vqf,w64,wady,wav,wavarc,wc3movie,"
    "wsaud,wsd,wsvqa,wtv,wv,wve,xa,xmd,xmv,xvag,xwma,yop"
)

# How far into a file tracks are searched for; some are only declared where they begin.
SEARCH_BYTES = 64 << 20
SEARCH_MICROSECONDS = 600_000_000

# Demuxers whose packets have timestamps. Raw formats and those found by counting bytes have none: if a library gives
# some all the same, they are guesses from the bit rate.
TIMED = frozenset({"asf", "flv", "live_flv", "matroska", "mov", "mpeg", "mpegts", "nut", "ogg", "wtv"})

PLAYLIST_MARKS = (
    b"#extm3u",
    b"#extinf",
    b"ffconcat version",
    b"[playlist]",
    b"[reference]",
    b"<asx",
    b"<mpd",
    b"<playlist",
    b"<smil",
    b"<assetmap",
    b"<smoothstreamingmedia",
    b"<compositionplaylist",
    b"v=0\r\no=",
    b"v=0\no=",
    b"rtsp://",
    b"http://",
    b"https://",
    b"file '",
)

MP4_BEGINNINGS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")

# How recordings begin. A file that begins like this but cannot be read is damaged; any other is not a recording.
RECORDING_MAGIC = (
    (8, b"WAVE"),
    (8, b"AVI "),
    (8, b"AIF"),
    (0, b"riff"),
    (0, b"fLaC"),
    (0, b"OggS"),
    (0, b"ID3"),
    (0, b"\x1aE\xdf\xa3"),
    (0, b"\x30\x26\xb2\x75"),
    (0, b"FLV\x01"),
    (0, b"caff"),
    (0, b".snd"),
    (0, b"#!AMR"),
    (0, b"wvpk"),
    (0, b"MAC "),
    (0, b"TTA1"),
    (0, b"tBaK"),
    (0, b"\x00\x00\x01\xba"),
    (0, b"\x0b\x77"),
    (0, b"\x02dss"),
    (0, b"\x03dss"),
    (8, b"QLCM"),
    (4, b"\x57\x90\x75\x36"),  # Audible
    (0, b"Creative Voice File"),
    (0, b"NIST_1A"),
    (0, b".RMF"),
    (0, b".ra\xfd"),
    (0, b"MP+"),
    (0, b"MPCK"),
    (0, b"ea3"),
    (0, b"EA3"),
    (0, b"DSD "),
    (0, b"FRM8"),
    (0, b"TWIN"),
    (0, b"ajkg"),
    (0, b"qoaf"),
    (0, b"OSQ "),
    (0, b"\xc0\xde\xc2"),  # Codec 2
    (0, b"\xb7\xd8\x00\x20\x37\x49\xda\x11"),  # WTV
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02"),  # MXF
    *((4, kind) for kind in MP4_BEGINNINGS),
)


# A protected track in an MP4: the protection box with the original format in it (ISO/IEC 14496-12, 8.12), or Audible's.
MP4_PROTECTION = re.compile(rb"sinf....frma|stsd.{12}aavd", re.DOTALL)
MOST_INDEX_BYTES = 64 << 20
MOST_BOXES = 1000  # before the index; real files have fewer than ten, and reading each takes time
# The content encryption objects of ASF (Advanced Systems Format specification, 3.14 and 3.15), as bytes on disk.
ASF_PROTECTION = re.compile(
    re.escape(bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"))
    + b"|"
    + re.escape(bytes.fromhex("14e68a292226174cb935dae07ee9289c"))
)

# Files people upload that contain no readable sound, by their beginning: offset, bytes, what it is and what to do.
SOUND_OF_OTHER_KINDS = (
    (0, b"\x03ds2", "This is a DS2 dictation file, which cannot be read here. Export it as DSS or WAV."),
    (0, b"\x01ds2", "This is a DS2 dictation file, which cannot be read here. Export it as DSS or WAV."),
    (0, b"\x03enc", "This is an encrypted dictation file. Export it as DSS or WAV, without a password."),
    (0, b"MS_VOICE", "This is a Sony voice file (MSV, DVF), which cannot be read here. Export it as WAV or MP3."),
)
NO_SOUND = (
    (0, b"MThd", "This is a MIDI file: it contains notes to be played, not recorded sound."),
    (8, b"RMID", "This is a MIDI file: it contains notes to be played, not recorded sound."),
    (0, b"IMPM", "This is a tracker module: it contains notes to be played, not recorded sound."),
    (0, b"Extended Module: ", "This is a tracker module: it contains notes to be played, not recorded sound."),
    (0, b"PK\x03\x04", "This is a ZIP archive or an office document. Unpack it and upload the recording."),
    (0, b"Rar!\x1a\x07", "This is a RAR archive. Unpack it and upload the recording."),
    (0, b"7z\xbc\xaf\x27\x1c", "This is a 7z archive. Unpack it and upload the recording."),
    (0, b"\x1f\x8b", "This is a gzip archive. Unpack it and upload the recording."),
    (0, b"%PDF-", "This is a PDF document, not a recording."),
)
