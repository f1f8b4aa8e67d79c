"""Links: made, replaced, written down; the secret is nowhere."""

import pytest
from django.core import mail
from django.test import RequestFactory

from tenants.links import find_link, link_digest, make_link, use_link
from tenants.models import AuditRecord, OneTimeLink

INVITATION, RESET = OneTimeLink.Purpose


@pytest.fixture
def make(person, operator):
    def make(login="acme/reader", purpose=INVITATION):
        return make_link(RequestFactory().get("/"), person(login), purpose, by=operator)

    return make


def secret_of(handover):
    return handover.url.split("/")[-2]


def test_link_is_shown_where_it_cannot_be_sent(make):
    handover = make()
    assert not handover.was_sent
    assert handover.url.startswith("http://testserver/welcome/")
    assert mail.outbox == []


def test_link_is_sent_where_there_is_a_mail_server(make, settings):
    settings.EMAIL_HOST = "mail.example"
    settings.PUBLIC_URL = "https://gatehouse.example.com"
    handover = make()
    assert handover.was_sent
    [sent] = mail.outbox
    assert sent.to == ["reader@acme.example"]
    assert handover.url in sent.body
    assert handover.url.startswith("https://gatehouse.example.com/welcome/")


def test_mail_server_that_does_not_answer_leaves_the_link_to_hand_over(make, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 1
    assert not make().was_sent


def test_secret_is_kept_nowhere(make):
    secret = secret_of(make())
    kept = list(OneTimeLink.objects.values()) + list(AuditRecord.objects.values())
    assert secret not in str(kept)


def test_link_of_one_tenant_says_nothing_about_another(make, acme, globex):
    make()
    make("globex/reader")
    assert OneTimeLink.objects.for_tenant(acme).get().user.tenant == acme
    assert OneTimeLink.objects.for_tenant(globex).get().user.tenant == globex


def test_new_link_voids_the_ones_before_it_of_the_same_person_only(make):
    first, neighbour = make(), make("globex/reader")
    make(purpose=RESET)
    assert find_link(link_digest(secret_of(first))) is None
    assert find_link(link_digest(secret_of(neighbour))) is not None


def test_link_is_used_once(make, operator):
    link = find_link(link_digest(secret_of(make())))
    assert use_link(link, "seven bridges over a river", by=operator)
    assert not use_link(link, "another password of mine", by=operator)
    link.user.refresh_from_db()
    assert link.user.check_password("seven bridges over a river")
    made, chosen = AuditRecord.objects.order_by("pk")
    assert (made.activity, chosen.activity) == ("User invited", "Password chosen")
