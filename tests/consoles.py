"""The console as a person without a browser uses it, and its pages as they read."""

import re
from functools import lru_cache
from html.parser import HTMLParser

from django.test import Client

from tenants.models import Tenant, User

LIST = "/devices/registration/"
NEW = f"{LIST}new/"
SETTINGS = "/settings/device-registration/"
HELP = "/help/connecting-devices/"
SIGN_IN = "/sign-in/"
SIGN_OUT = "/sign-out/"
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Element:
    """An element of a page: ``attrs``, what is inside, and how it reads."""

    def __init__(self, tag, attrs, parent=None):
        self.tag, self.attrs, self.parent = tag, attrs, parent
        self.children = []

    def __getitem__(self, name):
        return self.attrs[name]

    def walk(self):
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.walk()

    def all(self, tag=None, **attrs):
        """Return the elements inside with this tag and these attributes; ``data_x`` is data-x.

        True asks only that the attribute is there.
        """
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attrs.items()}
        return [
            each
            for each in self.walk()
            if (tag is None or each.tag == tag)
            and all(
                name in each.attrs and (value is True or each.attrs[name] == value)
                for name, value in wanted.items()
            )
        ]

    def one(self, tag=None, **attrs):
        """Return the only element like that."""
        found = self.all(tag, **attrs)
        assert len(found) == 1, f"{len(found)} of {tag} {attrs} in: {self.text}"
        return found[0]

    def classed(self, name):
        """Return the elements inside with this class."""
        return [each for each in self.walk() if name in (each.attrs.get("class") or "").split()]

    @property
    def text(self):
        """Return what a person reads here, with single blanks."""
        pieces = (c.text if isinstance(c, Element) else c for c in self.children)
        return re.sub(r"\s+", " ", " ".join(pieces)).strip()

    @property
    def fields(self):
        """Return what a browser would send of this form, buttons aside; lists where several."""
        sent = {}
        for each in self.walk():
            name = each.attrs.get("name")
            if not name or "disabled" in each.attrs or each.tag == "button":
                continue
            if each.tag == "textarea":
                value = "".join(c for c in each.children if isinstance(c, str))
            elif each.tag == "select":
                options = each.all("option")
                chosen = [o for o in options if "selected" in o.attrs] or options[:1]
                value = chosen[0].attrs.get("value", "") if chosen else ""
            elif each.tag == "input":
                if each.attrs.get("type") in {"checkbox", "radio"} and "checked" not in each.attrs:
                    continue
                value = each.attrs.get("value") or ""
            else:
                continue
            sent[name] = value
        return sent


class Page(HTMLParser):
    """Reads HTML into elements."""

    def __init__(self, text):
        super().__init__()
        self.root = self.at = Element("", {})
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs), self.at)
        self.at.children.append(element)
        if tag not in VOID:
            self.at = element

    def handle_startendtag(self, tag, attrs):
        self.at.children.append(Element(tag, dict(attrs), self.at))

    def handle_endtag(self, tag):
        at = self.at
        while at.tag != tag and at.parent is not None:
            at = at.parent
        if at.parent is not None:
            self.at = at.parent

    def handle_data(self, data):
        self.at.children.append(data)


def read(response):
    """Return the page, or the fragment, of a response."""
    return _read(response if isinstance(response, str) else response.content.decode())


@lru_cache(maxsize=8)
def _read(text):
    return Page(text).root  # who looks for several things reads it once


class Console:
    """A browser without JavaScript, signed in as ``login``; ``target`` makes it speak HTMX."""

    def __init__(self, login=None, *, enforce_csrf_checks=False):
        self.client = Client(enforce_csrf_checks=enforce_csrf_checks, raise_request_exception=True)
        if login is not None:
            tenant, _, name = login.partition("/")
            self.client.force_login(User.objects.get(tenant_id=tenant, username=name))

    def call(self, method, url, data=None, *, target=None, **headers):
        if target is not None:
            headers |= {"HX-Request": "true", "HX-Target": target}
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(self.client, method)(url, data, headers=headers)

    def get(self, url, data=None, **how):
        return self.call("get", url, data, **how)

    def post(self, url, data=None, **how):
        return self.call("post", url, data or {}, **how)


def row_url(registration, action=""):
    """Return the address of a registration, or of something to be done with it."""
    return f"{LIST}{registration.pk}/{action}"


def shown_ids(response):
    """Return the device IDs of the rows in a list, in order."""
    rows = read(response).all("tbody", data_rows=True)
    return [row["data-device"] for body in rows for row in body.all("tr")]


def messages_of(response):
    """Return what the page tells about what was done."""
    return [each.one("p").text for each in read(response).all("div", data_message=True)]


def suspend(tenant):
    """Shut a tenant out."""
    Tenant.objects.filter(pk=tenant.pk).update(status=Tenant.Status.SUSPENDED)
