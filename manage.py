#!/usr/bin/env python
"""Django's command line; a wrong setting ends it with one sentence instead of a traceback."""

import os
import sys


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from config.env import SettingError

    try:
        execute_from_command_line(sys.argv)
    except SettingError as error:
        sys.stderr.write(f"gatehouse: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
