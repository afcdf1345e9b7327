"""The decoder's result for one chunk, and whether it is plausible."""

from __future__ import annotations

from dataclasses import dataclass, field

from tasks_app.pipeline.text.guards import compression_ratio, repeats

# The thresholds are those of Whisper's own `transcribe` (Radford et al. 2022, section 4.5).
MIN_AVERAGE_LOG_PROBABILITY = -1.0
MAX_COMPRESSION_RATIO = 2.4
# Without speech: the probability of that is above the first and the text's log probability below the second.
NO_SPEECH = ((0.3, -1.4), (0.4, -1.3), (0.6, MIN_AVERAGE_LOG_PROBABILITY), (0.8, -0.4))
REPETITION = 0.5
"""By how much the log probability of a text that repeats itself must be higher: noises are heard as "AHHHHH"."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """One hypothesis for a chunk. `average_log_probability` is per token; `prompt`: tokens before the text."""

    tokens: list[int]
    text: str
    average_log_probability: float
    no_speech_probability: float
    prompt: list[int] = field(default_factory=list)

    @property
    def silent(self) -> bool:
        sure = self.average_log_probability - REPETITION * self.repetitive
        return any(self.no_speech_probability > no_speech and sure < text for no_speech, text in NO_SPEECH)

    @property
    def repetitive(self) -> bool:
        return compression_ratio(self.text) > MAX_COMPRESSION_RATIO or repeats(self.tokens)

    @property
    def improbable(self) -> bool:
        return self.average_log_probability < MIN_AVERAGE_LOG_PROBABILITY

    @property
    def doubtful(self) -> bool:
        return self.repetitive or self.improbable
