"""Pages for accounts: the first account, logging in, signing up."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.views import LoginView, RedirectURLMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe
from django.views.generic import FormView

from tasks_app.actions import first_account
from tasks_app.pages.forms import FirstAccountForm, LogInForm, SignUpForm


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
        return super().get_context_data(signup_allowed=settings.ALLOW_SIGNUP, **kwargs)


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class SignUp(RedirectURLMixin, FormView):
    template_name = "tasks_app/signup.html"
    form_class = SignUpForm
    next_page = settings.LOGIN_REDIRECT_URL

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.ALLOW_SIGNUP:
            raise Http404
        if first_account.is_needed():
            return redirect("setup")
        if request.user.is_authenticated:
            return redirect("task-list")
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        login(self.request, form.save())
        return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)
