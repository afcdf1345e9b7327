"""Changing settings while the service runs."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from tasks_app.actions.audit import record
from tasks_app.current_settings import forget
from tasks_app.models import AuditAction, ChangedSetting
from tasks_app.pipeline_setup import offered_models


def choices(name: str) -> tuple[str, ...]:
    """What a setting can be; empty where it is a number."""
    if name == "DEFAULT_MODEL":
        return tuple(model.name for model in offered_models())
    return settings.CHANGEABLE[name].choices


def change(actor: User, name: str, text: str) -> None:
    """Give a setting the value that `text` would have in the environment; every process has it within some seconds.
    The environment's own value is the way back to the default. What it is already does nothing.

    Raises:
        ValueError: it cannot be that; the message says why.
    """
    value = settings.CHANGEABLE[name].parse(text)
    if choices(name) and text not in choices(name):
        raise ValueError(f"it must be one of {', '.join(choices(name))}")
    default = getattr(settings, name)
    with transaction.atomic():
        row = ChangedSetting.objects.select_for_update().filter(pk=name).first()
        was = row.value if row else str(default)
        if str(value) == was:
            return
        if value == default:
            ChangedSetting.objects.filter(pk=name).delete()
        else:
            ChangedSetting.objects.update_or_create(pk=name, defaults={"value": str(value), "by": actor})
        record(AuditAction.SETTING_CHANGED, actor, detail=f"{name}: {was} → {value}")
        transaction.on_commit(forget)
