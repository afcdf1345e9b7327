"""URL routes."""

from django.contrib import admin
from django.urls import include, path

from transcribe_site import errors

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("tasks_app.api.urls")),
    path("", include("tasks_app.pages.urls")),
]

handler400 = errors.handler400
handler403 = errors.handler403
handler404 = errors.handler404
handler500 = errors.handler500
