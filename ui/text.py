"""Text that people and programs send, as it can be kept."""


def storable(text: str) -> str:
    """Return ``text`` as every database takes it: without NUL, and without lone surrogates."""
    return text.replace("\x00", "").encode(errors="replace").decode()
