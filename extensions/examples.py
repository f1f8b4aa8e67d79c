"""Where example files are: at the service itself, or where only a browser goes.

What is at the service is fetched by us, as nobody else may reach it. Anything else is never
called by the server: a browser can be sent there, with the host before the eyes of the person.
"""

import re
from typing import Final
from urllib.parse import quote, unquote

# Nothing but host and port before the path: no login, and nothing that browsers read otherwise.
LINK: Final = re.compile(
    r"https://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:[/?#]\S*)?",
    re.ASCII | re.IGNORECASE,
)


def path_at(base_url: str, context_path: str, url: str) -> str:
    """Return where an example is below a service's base, as the original's paths say it.

    Empty if it is not at the service.
    """
    path = url
    for prefix in (base_url, f"/service/{context_path}"):
        rest = path.removeprefix(prefix)
        if rest.startswith(("/", "?")):
            path = rest
    if path.startswith("?"):
        path = f"/{path}"
    if re.match(r"[A-Za-z0-9_]", path) and ":" not in path.partition("/")[0]:
        path = f"/{path}"
    if not path.startswith("/") or path.startswith("//") or ".." in unquote(path):
        return ""
    return quote(path, safe="/?&=%+~.-_,:@")


def link_to(url: str) -> str:
    """Return ``url`` as a link that a browser may follow; empty if it is none."""
    return quote(url, safe="/?#&=%+~.-_,:@;!$'()*[]") if LINK.fullmatch(url) else ""
