"""The page of one's webhooks, with what they were told."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tasks_app.actions import webhooks as actions
from tasks_app.actions.access import logged_in_user
from tasks_app.errors import InvalidOptions
from tasks_app.models import Webhook, WebhookEvent
from tasks_app.pages.forms import WebhookForm


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def webhooks(request: HttpRequest) -> HttpResponse:
    """The user's webhooks; POST makes one, and the answer to it is the only place where its secret is shown."""
    user = logged_in_user(request)
    form = WebhookForm(request.POST if request.method == "POST" else None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        events = [WebhookEvent(event) for event in form.cleaned_data["events"]]
        try:
            _, secret = actions.make_webhook(user, form.cleaned_data["url"], events)
        except InvalidOptions as error:
            form.add_error(None, error.user_message)
        else:
            form = WebhookForm()
    logs = [(webhook, actions.log_of(webhook)) for webhook in actions.webhooks_of(user)]
    told = [(webhook, log, sum(delivery.is_refused for delivery in log)) for webhook, log in logs]
    context = {"form": form, "secret": secret, "told": told}
    return render(request, "tasks_app/webhooks.html", context, status=400 if form.errors else 200)


REMOVED = {"action": actions.remove_webhook, "said": "The webhook was removed."}
TESTED = {
    "action": actions.send_test,
    "said": "A test is on its way. Reload this page in a few seconds to see how it went.",
}


@require_POST
@login_required
def webhook_action(
    request: HttpRequest, webhook_id: int, action: Callable[[Webhook], object], said: str
) -> HttpResponse:
    action(actions.webhook_of(logged_in_user(request), webhook_id))
    messages.success(request, said)
    return redirect("webhooks")


@require_POST
@login_required
def webhook_replay(request: HttpRequest, delivery_id: int) -> HttpResponse:
    actions.send_again(logged_in_user(request), delivery_id)
    messages.success(request, "It is sent again. Reload this page in a few seconds to see how it went.")
    return redirect("webhooks")
