"""`wording` as template filters."""

from django import template

from tasks_app import wording

register = template.Library()
for words in (
    wording.clock,
    wording.time_left,
    wording.short_duration,
    wording.age,
    wording.minutes_in_words,
    wording.file_size,
    wording.language_name,
    wording.percent,
    wording.speaker_name,
):
    register.filter(words)
