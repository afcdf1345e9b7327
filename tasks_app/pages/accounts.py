"""Pages for accounts: the first account, logging in, signing up, setting a password again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.views import LoginView, RedirectURLMixin
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe
from django.views.generic import FormView

from tasks_app.actions import first_account, people
from tasks_app.errors import LinkExpired
from tasks_app.pages.forms import FirstAccountForm, LogInForm, NewPasswordForm, SignUpForm
from tasks_app.throttle import hashing


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("task-list")
    return redirect("setup" if first_account.is_needed() else "login")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters()
def setup(request: HttpRequest) -> HttpResponse:
    """Create the first staff account with the setup code; 404 once there is an account."""
    if first_account.setup_code() is None:
        raise Http404
    form = FirstAccountForm(request, request.POST or None, initial={"code": request.GET.get("code", "")})
    if request.method == "POST" and form.is_valid():
        try:
            user = first_account.create(form.cleaned_data["username"], form.cleaned_data["password1"])
        except PermissionError:
            raise Http404 from None
        login(request, user)
        return redirect("task-list")
    return render(request, "tasks_app/setup.html", {"form": form}, status=400 if form.errors else 200)


class LogIn(LoginView):
    template_name = "tasks_app/login.html"
    authentication_form = LogInForm
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if first_account.is_needed():
            return redirect("setup")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(signup_allowed=people.anybody_may_sign_up(), **kwargs)


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class SignUp(RedirectURLMixin, FormView):
    template_name = "tasks_app/signup.html"
    form_class = SignUpForm
    next_page = settings.LOGIN_REDIRECT_URL

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if first_account.is_needed():
            return redirect("setup")
        code = request.GET.get("code", "")
        self.invitation = people.open_link(people.Kind.INVITATION, code) if code else None
        if not people.may_sign_up_with(self.invitation):
            raise LinkExpired if code else Http404
        if request.user.is_authenticated:
            return redirect("task-list")
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        with transaction.atomic():
            user = form.save()
            if self.invitation is not None:
                people.use_invitation(self.invitation, user)
        login(self.request, user)
        return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters()
def password(request: HttpRequest) -> HttpResponse:
    """Set a password again, with the link that staff made."""
    link = people.open_link(people.Kind.PASSWORD, request.GET.get("code", ""))
    if link is None or link.account is None:
        raise LinkExpired
    form = NewPasswordForm(link.account, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with hashing:
            people.set_password(link, link.account, form.cleaned_data["new_password1"])
        messages.success(request, "The password was set. Log in with it.")
        return redirect("login")
    context = {"form": form, "account": link.account}
    return render(request, "tasks_app/password.html", context, status=400 if form.errors else 200)
