"""The work on imports: checking, registering, undoing, by whoever has the lease."""

from bulk.engine.working import carry_on, due

__all__ = ["carry_on", "due"]
