"""Gatehouse's settings with one more address: a view that does nothing.

A server has to be started with this module on purpose; in production it is not there.
"""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
