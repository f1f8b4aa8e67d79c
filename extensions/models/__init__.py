"""Which services register devices in other ways than ours."""

from extensions.models.extension import Extension, Health

__all__ = ["Extension", "Health"]
