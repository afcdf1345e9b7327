"""Accounts in the admin: who was here, what they take up, who may come, and who may not any more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.forms import BaseForm, CheckboxSelectMultiple, ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tasks_app.actions import people
from tasks_app.actions.access import logged_in_user, staff_may
from tasks_app.actions.audit import record
from tasks_app.models import AuditAction, PersonalLimits, Task
from tasks_app.wording import clock, file_size

admin.site.unregister((User, Group))


class LimitsInline(admin.StackedInline):
    model = PersonalLimits
    max_num = 1


@admin.register(User)
class PeopleAdmin(UserAdmin):
    """Nobody changes an account that may more than they themselves. Accounts come by sign-up and invitation, and nobody
    but their owners sets their passwords."""

    list_display = ("username", "is_active", "is_staff", "seen", "tasks", "recordings", "sound")
    list_filter = ("is_active", "is_staff", "groups")
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = ("close_accounts", "reopen_accounts")
    fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email")}),
        ("Usage", {"fields": ("seen", "tasks", "recordings", "sound", "date_joined")}),
        ("What they may", {"fields": ("is_active", "is_staff", "groups")}),
    )
    for_superusers = ("Superusers", {"fields": ("is_superuser", "user_permissions")})
    inlines = (LimitsInline,)
    readonly_fields = ("is_active", "seen", "tasks", "recordings", "sound", "date_joined")
    filter_horizontal = ()
    change_list_template = "tasks_app/admin/people.html"
    change_form_template = "tasks_app/admin/person.html"

    # Who may ----------------------------------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or _may_no_more_than(obj, logged_in_user(request))

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        return (*self.fieldsets, self.for_superusers) if request.user.is_superuser else self.fieldsets

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Without the field that shows the password's hash, which `UserAdmin`'s own form has."""
        return admin.ModelAdmin.get_form(self, request, obj, change, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Of the groups, those that have no permission that one has not oneself."""
        if db_field.name == "groups":
            kwargs["widget"] = CheckboxSelectMultiple
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups" and isinstance(field, ModelMultipleChoiceField):
            own = logged_in_user(request).get_all_permissions()
            below = [group.pk for group in Group.objects.all() if _permissions(group) <= own]
            field.queryset = Group.objects.filter(pk__in=below)
        return field

    # What there is ----------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        own = Task.objects.filter(owner=OuterRef("pk")).order_by().values("owner")
        stored = own.exclude(media="")
        return (
            super()
            .get_queryset(request)
            .select_related("last_seen")
            .annotate(
                task_count=Subquery(own.annotate(figure=Count("pk")).values("figure")),
                stored=Subquery(stored.annotate(figure=Sum("size")).values("figure")),
                sound_seconds=Subquery(own.annotate(figure=Sum("duration")).values("figure")),
            )
        )

    @admin.display(description="last seen", ordering="last_seen__at")
    def seen(self, user: User) -> datetime | str:
        return user.last_seen.at if hasattr(user, "last_seen") else "never"

    @admin.display(description="tasks")
    def tasks(self, user: Any) -> int:
        return user.task_count or 0

    @admin.display(description="recordings take up")
    def recordings(self, user: Any) -> str:
        return file_size(user.stored or 0)

    @admin.display(description="sound")
    def sound(self, user: Any) -> str:
        return clock(user.sound_seconds or 0.0)

    # Acts -------------------------------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: User, form: BaseForm, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if form.changed_data:
                detail = ", ".join(name.replace("_", " ") for name in form.changed_data)
                record(AuditAction.ACCOUNT_CHANGED, logged_in_user(request), owner=obj, detail=detail)

    def save_formset(self, request: HttpRequest, form: BaseForm, formset: Any, change: bool) -> None:
        """The limits; none is no row."""
        with transaction.atomic():
            super().save_formset(request, form, formset, change)
            if formset.has_changed():
                PersonalLimits.objects.filter(quota_mb=None, max_running=None).delete()
                own = PersonalLimits.objects.filter(pk=formset.instance.pk).first()
                recordings, running = (own.quota_mb, own.max_running) if own else (None, None)
                detail = f"limits: recordings {_limit(recordings, ' MB')}, running {_limit(running)}"
                record(AuditAction.ACCOUNT_CHANGED, logged_in_user(request), owner=formset.instance, detail=detail)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        with transaction.atomic():
            record(AuditAction.ACCOUNT_DELETED, logged_in_user(request), owner=obj)
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What the confirmation page lists: the accounts, without their thousands of tasks and segments."""
        return [f"{user}, with all tasks and recordings" for user in objs], {"accounts": len(objs)}, set(), []

    @admin.action(description="Close selected accounts", permissions=["change"])
    def close_accounts(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, people.close_account, "closed")

    @admin.action(description="Open selected accounts again", permissions=["change"])
    def reopen_accounts(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, people.reopen_account, "opened")

    def _each(self, request: HttpRequest, queryset: QuerySet[User], act: Any, done: str) -> None:
        actor = logged_in_user(request)
        allowed = [user for user in queryset if user != actor and self.has_change_permission(request, user)]
        for user in allowed:
            act(actor, user)
        refused = len(queryset) - len(allowed)
        self.message_user(
            request, f"Accounts {done}: {len(allowed)}." + f" Not yours to change: {refused}." * bool(refused)
        )

    # Links ------------------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        def staffs(view: Any) -> Any:
            return self.admin_site.admin_view(never_cache(view))

        return [
            path(
                "invitations/", staffs(require_http_methods(["GET", "HEAD", "POST"])(self.invite)), name="invitations"
            ),
            path("invitations/<int:link>/withdraw/", staffs(require_POST(self.withdraw)), name="invitation_withdraw"),
            path("<int:user>/password-link/", staffs(require_POST(self.password_link)), name="password_link"),
            *admin.ModelAdmin.get_urls(self),
        ]

    def invite(self, request: HttpRequest) -> HttpResponse:
        """The open invitations; POST makes one, for whom `note` says. Its link is in the answer alone."""
        _only(request, "invite")
        made = ""
        if request.method == "POST":
            code = people.invite(logged_in_user(request), " ".join(request.POST.get("note", "").split()))
            made = _address(request, "signup", code)
        context = {"links": people.open_links(people.Kind.INVITATION).select_related("made_by"), "made": made}
        return self._page(request, "Invitations", "tasks_app/admin/invitations.html", context)

    def withdraw(self, request: HttpRequest, link: int) -> HttpResponse:
        _only(request, "invite")
        people.withdraw(logged_in_user(request), link)
        return redirect("admin:invitations")

    def password_link(self, request: HttpRequest, user: int) -> HttpResponse:
        """Makes a link with which the account's owner sets the password again; it is in the answer alone."""
        _only(request, "reset_password")
        account = get_object_or_404(User, pk=user, is_active=True)
        if not _may_no_more_than(account, logged_in_user(request)):
            raise PermissionDenied
        made = _address(request, "password", people.link_for_password(logged_in_user(request), account))
        context = {"account": account, "made": made}
        return self._page(request, "Set a password again", "tasks_app/admin/password_link.html", context)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        account = kwargs.get("obj")
        context["may_make_link"] = (
            staff_may(request.user, "reset_password")
            and account is not None
            and account.is_active
            and _may_no_more_than(account, logged_in_user(request))
        )
        return super().render_change_form(request, context, *args, **kwargs)

    def _page(self, request: HttpRequest, title: str, template: str, context: dict[str, Any]) -> HttpResponse:
        return render(request, template, {**self.admin_site.each_context(request), "title": title, **context})


@admin.register(Group)
class GroupsAdmin(GroupAdmin):
    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any) -> Any:
        """The permissions that mean something here, as a list to tick."""
        shown = Permission.objects.filter(content_type__app_label__in=("tasks_app", "auth", "django_rq"))
        chosen = {"queryset": shown.select_related("content_type"), "widget": CheckboxSelectMultiple}
        return super().formfield_for_manytomany(db_field, request, **kwargs, **chosen)


def _limit(value: int | None, unit: str = "") -> str:
    return "as for everybody" if value is None else f"{value}{unit}" if value else "without limit"


def _only(request: HttpRequest, permission: str) -> None:
    if not staff_may(request.user, permission):
        raise PermissionDenied


def _may_no_more_than(account: User, user: User) -> bool:
    if user.is_superuser:
        return True
    return not account.is_superuser and account.get_all_permissions() <= user.get_all_permissions()


def _permissions(group: Group) -> set[str]:
    named = group.permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in named}


def _address(request: HttpRequest, page: str, code: str) -> str:
    return request.build_absolute_uri(f"{reverse(page)}?code={code}")
