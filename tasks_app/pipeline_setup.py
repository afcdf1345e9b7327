"""The pipeline as configured by the settings."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from django.conf import settings

from tasks_app.current_settings import current
from tasks_app.pipeline.audio.probing import Limits
from tasks_app.pipeline.weights import tuning
from tasks_app.pipeline.weights.catalogue import ModelInfo, known_models

if TYPE_CHECKING:
    from tasks_app.pipeline.weights.model_store import ModelStore


def limits() -> Limits:
    return Limits(max_duration=current("MAX_DURATION_MINUTES") * 60, max_decode_seconds=settings.MAX_DECODE_SECONDS)


@functools.cache
def model_store() -> ModelStore:
    """The one store of this process: what it loads stays warm from task to task."""
    from tasks_app.pipeline.weights.model_store import MEGABYTE, ModelStore, available_cores

    return ModelStore(
        settings.MODEL_DIR,
        allow_download=settings.ALLOW_MODEL_DOWNLOAD,
        device=settings.DEVICE,
        compute_type=settings.COMPUTE_TYPE,
        hf_token=settings.HF_TOKEN,
        memory_budget=settings.MODEL_MEMORY_MB * MEGABYTE,
        setups=tuning.kept(settings.VAR_DIR, available_cores(), settings.COMPUTE_TYPE),
    )


def offered_models() -> list[ModelInfo]:
    """The models that tasks may use."""
    models = known_models(settings.MODEL_DIR)
    return [model for model in models if settings.ALLOW_MODEL_DOWNLOAD or model.state != "downloadable"]
