"""Routes for people."""

urlpatterns: list = []
