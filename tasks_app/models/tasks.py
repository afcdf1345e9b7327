"""Tasks, what happened to them, and what their stages produced."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from tasks_app import fields
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.transcript import StageWarning

MODEL_ASKED = Cast(KT("options__model"), models.TextField())
"""The model in a task's options, which tasks are found by."""


class TaskStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    PROCESSING = "processing", _("Processing")
    COMPLETED = "completed", _("Completed")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


# Which status may follow which; enforced by actions/status.py, the only module that changes a status.
TRANSITIONS: dict[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.QUEUED: frozenset({TaskStatus.PROCESSING, TaskStatus.CANCELLED, TaskStatus.FAILED}),
    TaskStatus.PROCESSING: frozenset(
        {TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED, TaskStatus.QUEUED}
    ),
    TaskStatus.COMPLETED: frozenset({TaskStatus.QUEUED}),
    TaskStatus.FAILED: frozenset({TaskStatus.QUEUED}),
    TaskStatus.CANCELLED: frozenset({TaskStatus.QUEUED}),
}
ENDED = frozenset({TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED})


class Priority(models.IntegerChoices):
    """Of waiting tasks; staff change it. Higher ones are taken first, whoever's turn it is."""

    LOW = -1, _("Low")
    NORMAL = 0, _("Normal")
    HIGH = 1, _("High")


class TaskProgressStage(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    TRANSCRIBING = "transcribing", _("Transcribing")
    ALIGNING = "aligning", _("Timing the words")
    DIARIZING = "diarizing", _("Telling speakers apart")
    COMPLETE = "complete", _("Complete")


def upload_path(task: Task, filename: str) -> str:
    """Where a recording is stored, independent of its uploaded name."""
    return f"uploads/{task.identifier.hex[:2]}/{task.identifier.hex}"


class Task(models.Model):
    """One recording and what was asked for it, from upload to transcript."""

    identifier = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tasks")
    name = fields.CharField(max_length=255, help_text="the uploaded file's name; for display only")
    media = models.FileField(upload_to=upload_path, max_length=255, blank=True)
    size = models.BigIntegerField(default=0, help_text="bytes")
    duration = models.FloatField(null=True, help_text="seconds")
    options = fields.JSONField(default=dict)

    status = models.CharField(max_length=12, choices=TaskStatus, default=TaskStatus.QUEUED)
    progress_percentage = models.PositiveSmallIntegerField(default=0)
    progress_stage = models.CharField(max_length=12, choices=TaskProgressStage, default=TaskProgressStage.QUEUED)
    progress_message = fields.CharField(max_length=200, blank=True)
    eta_seconds = models.FloatField(null=True, help_text="seconds left, as last estimated")
    sequence = models.BigIntegerField(default=0, help_text="number of the last message sent about this task")

    error_code = fields.CharField(max_length=40, blank=True)
    user_message = fields.CharField(max_length=500, blank=True)
    technical_detail = fields.CharField(max_length=1000, blank=True)
    warnings = fields.JSONField(default=list, help_text="what a completed transcript lacks, and why")

    language = fields.CharField(max_length=8, blank=True)
    language_probability = models.FloatField(null=True)

    attempt = models.PositiveIntegerField(default=0)
    fruitless_attempts = models.PositiveSmallIntegerField(
        default=0, help_text="attempts in a row whose worker was lost before anything was finished"
    )
    lease = models.UUIDField(null=True, help_text="the claim of the worker that works on it")
    lease_expires_at = models.DateTimeField(null=True)

    worker = fields.CharField(max_length=100, blank=True, help_text="who works on it, or did last: host:process")
    device = models.CharField(max_length=8, blank=True, help_text="where that worker's models run: cpu or cuda")
    stage_seconds = models.JSONField(default=dict, help_text="what the stages of the last attempt took, by stage")

    created_at = models.DateTimeField(auto_now_add=True)
    queued_at = models.DateTimeField(null=True)
    priority = models.SmallIntegerField(choices=Priority, default=Priority.NORMAL, db_default=Priority.NORMAL)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)
        permissions = (
            ("cancel_task", "Can cancel task"),
            ("retry_task", "Can queue task again"),
            ("prioritise_task", "Can change the priority of tasks"),
            ("hand_over_task", "Can hand tasks to another owner"),
            ("export_task", "Can download many transcripts at once"),
        )
        indexes = (
            models.Index(fields=("owner", "-created_at")),
            models.Index(fields=("owner", "status", "-created_at"), name="tasks_by_status"),
            models.Index(fields=("status", "lease_expires_at")),
            models.Index(
                fields=("owner", "-priority", "queued_at"),
                condition=models.Q(status="queued"),
                name="waiting_tasks_by_priority",
            ),
            models.Index(
                fields=("started_at",),
                condition=models.Q(status="queued", started_at__isnull=False),
                name="interrupted_tasks",
            ),
            models.Index(fields=("status", "progress_message"), name="tasks_by_message"),
            models.Index(fields=("owner", "size"), condition=~models.Q(media=""), name="stored_sizes"),
            models.Index(fields=("finished_at",), name="tasks_by_their_end"),
            models.Index(fields=("error_code", "-created_at"), condition=~models.Q(error_code=""), name="failed_tasks"),
            models.Index(fields=("worker", "-created_at"), condition=~models.Q(worker=""), name="tasks_of_a_worker"),
            # What staff's list is ordered and filtered by.
            models.Index(fields=("-created_at",), name="tasks_by_age"),
            models.Index(fields=("status", "-created_at"), name="tasks_by_status_and_age"),
            models.Index(fields=("progress_stage", "-created_at"), name="tasks_by_stage"),
            models.Index(fields=("priority", "-created_at"), name="tasks_by_priority"),
            models.Index(fields=("language", "-created_at"), name="tasks_by_language"),
            models.Index(MODEL_ASKED, models.F("created_at").desc(), name="tasks_by_model"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def transcription_options(self) -> TranscriptionOptions:
        return TranscriptionOptions.from_dict(self.options)

    @property
    def is_incomplete(self) -> bool:
        """Whether it is completed except for a failed stage that can be retried."""
        return self.status == TaskStatus.COMPLETED and any(
            StageWarning.from_dict(warning).try_again for warning in self.warnings
        )

    @property
    def held_lease(self) -> uuid.UUID:
        """The lease of a task that was claimed. Raises RuntimeError: nobody holds it."""
        if self.lease is None:
            raise RuntimeError(f"Nobody holds task {self.pk}.")
        return self.lease

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED


class LastServed(models.Model):
    """When a worker last took a task of this owner; decides whose turn it is next."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="last_served"
    )
    at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.at}"


class TaskEvent(models.Model):
    """One change of a task's status, written in the same transaction."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="events")
    from_status = models.CharField(max_length=12, choices=TaskStatus, blank=True)
    to_status = models.CharField(max_length=12, choices=TaskStatus)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", help_text="empty: the service"
    )
    attempt = models.PositiveIntegerField()
    detail = fields.CharField(max_length=300, blank=True)
    traceback = fields.TextField(blank=True, help_text="where an unforeseen failure came from; for staff")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.from_status or 'new'} -> {self.to_status}"


class StageResult(models.Model):
    """A finished part of a stage, from which the next attempt continues (see `Observer.checkpoint`)."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="stage_results")
    stage = fields.CharField(max_length=12)
    position = models.PositiveBigIntegerField(help_text="its place in the stage, whatever is finished before it")
    attempt = models.PositiveIntegerField(help_text="the attempt that finished it")
    data = fields.JSONField()

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("task", "stage", "position"), name="unique_position_per_stage"),)

    def __str__(self) -> str:
        return f"{self.stage} {self.position}"
