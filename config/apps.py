from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The project itself: commands that concern all apps."""

    name = "config"
    verbose_name = "Tollbook"
