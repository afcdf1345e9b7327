"""The errors of the pipeline.

Each class has a stable `error_code` for programs, a `user_message` for people that says what happened and what to do,
and the `http_status` of responses that report it. `technical_detail` (the exception's own text) may
name an exception and its message, never a path or a trace.
"""

from __future__ import annotations


class TranscriptionError(Exception):
    """Base of every expected failure. `user_message` may be replaced per instance by a more specific one."""

    error_code = "TRANSCRIPTION_FAILED"
    http_status = 500
    user_message = (
        "The recording could not be transcribed. Try again; if it fails again, ask whoever runs this service."
    )

    def __init__(self, technical_detail: str = "", *, user_message: str | None = None) -> None:
        super().__init__(technical_detail)
        self.technical_detail = technical_detail
        if user_message is not None:
            self.user_message = user_message


class InputError(TranscriptionError):
    """The file or an option is wrong, and trying again will not help."""

    http_status = 400


class EmptyFile(InputError):
    error_code = "EMPTY_FILE"
    user_message = "The file is empty. Check that it was saved and copied in full, then upload it again."


class NotAudio(InputError):
    error_code = "NOT_AUDIO"
    http_status = 415
    user_message = "This is not an audio or video file that can be read. Convert it to WAV, MP3, FLAC, M4A or MP4."


class NoSoundTrack(InputError):
    error_code = "NO_SOUND_TRACK"
    http_status = 422
    user_message = "The file has no sound track. Upload a recording with sound."


class NoSuchTrack(InputError):
    error_code = "NO_SUCH_TRACK"
    user_message = "The file has no sound track with that number."


class TruncatedFile(InputError):
    error_code = "TRUNCATED_FILE"
    http_status = 422
    user_message = (
        "The file is incomplete or damaged, and no sound could be read from it. Copy it again from its source."
    )


class UnsupportedFormat(InputError):
    error_code = "UNSUPPORTED_FORMAT"
    http_status = 415
    user_message = "The audio format of this file is not supported. Convert it to WAV, MP3, FLAC, M4A or MP4."


class DecodingOutOfMemory(InputError):
    error_code = "DECODING_OUT_OF_MEMORY"
    http_status = 422
    user_message = "Reading the file took more memory than allowed. Convert it to WAV, MP3 or FLAC and upload that."


class EncryptedFile(InputError):
    error_code = "ENCRYPTED_FILE"
    http_status = 422
    user_message = "The file is encrypted (copy protected). Upload an unprotected copy."


class PlaylistFile(InputError):
    error_code = "PLAYLIST_FILE"
    http_status = 415
    user_message = "This is a playlist: it only points to other files. Upload the recording itself."


class RecordingTooLong(InputError):
    error_code = "RECORDING_TOO_LONG"
    http_status = 413
    user_message = "The recording is longer than this service accepts. Split it and upload the parts."


class FileTooLarge(InputError):
    error_code = "FILE_TOO_LARGE"
    http_status = 413
    user_message = "The file is larger than this service accepts. Compress it (MP3, M4A) or split it."


class DecodingTimedOut(InputError):
    error_code = "DECODING_TIMED_OUT"
    http_status = 422
    user_message = "Reading the file took longer than allowed. Convert it to WAV, MP3 or FLAC and upload that."


class UnknownLanguage(InputError):
    error_code = "UNKNOWN_LANGUAGE"
    user_message = "This language is not supported. Choose one from the list, or let it be detected."


class UnknownModel(InputError):
    error_code = "UNKNOWN_MODEL"
    user_message = "There is no model with this name. Choose one from the list."


class ModelUnavailable(TranscriptionError):
    error_code = "MODEL_UNAVAILABLE"
    http_status = 503
    user_message = "The model is not on this machine and could not be downloaded. Choose another model."


class GpuOutOfMemory(TranscriptionError):
    error_code = "GPU_OUT_OF_MEMORY"
    http_status = 503
    user_message = "The graphics processor does not have enough memory for this model. Choose a smaller model."


class AlignmentFailed(TranscriptionError):
    error_code = "ALIGNMENT_FAILED"
    user_message = "The times of individual words could not be determined; the text and its segments are complete."


class DiarizationFailed(TranscriptionError):
    error_code = "DIARIZATION_FAILED"
    user_message = "The speakers could not be identified; the text is complete."


class CopyFailed(TranscriptionError):
    error_code = "COPY_FAILED"
    user_message = "A copy of the recording to listen to could not be made. Download the recording to hear it."


class Cancelled(Exception):
    """Raised inside the pipeline once the observer says that the task was cancelled."""
