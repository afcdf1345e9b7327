"""For migrations that give permissions to the groups of staff."""


def give(apps, group, *permissions):
    """`permissions`: `app.codename of model`. They are made where Django has not made them yet, after the last migration."""
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    ContentType = apps.get_model("contenttypes", "ContentType")
    group, _ = Group.objects.get_or_create(name=group)
    for permission in permissions:
        name, _, model = permission.partition(" of ")
        app, _, codename = name.partition(".")
        kind, _ = ContentType.objects.get_or_create(app_label=app, model=model)
        found, _ = Permission.objects.get_or_create(
            content_type=kind, codename=codename, defaults={"name": "Can " + codename.replace("_", " ")}
        )
        group.permissions.add(found)
