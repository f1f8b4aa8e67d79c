"""Which files of the installed packages are collected and served."""

from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    """Leave out what no page of ours loads; the package of the API page brings two viewers."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "redoc",
        "oauth2-redirect.*",
        "swagger-ui-standalone-preset.*",
        "swagger-ui-bundle.js.map",
    ]
