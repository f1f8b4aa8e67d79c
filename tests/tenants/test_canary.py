"""A canary in every secret: wherever it sings, a secret got out.

Everything that takes or makes a secret is done once, with a canary in it or with the secret noted
down. Then every place is looked at where one could turn up. A new kind of change gets a step here.
"""

import html
import logging
import re

import pytest
from django.apps import apps

from extensions.models import Extension
from inventory.models import DeviceCredentials
from registration.lifecycle import Stage
from registration.models import Registration
from tenants import audit
from tenants.actors import Actor
from tenants.links import link_digest, use_link
from tenants.models import AuditRecord, Authenticator, OneTimeLink, TenantOption, User
from tenants.options import set_editable, set_option
from tenants.tokens import make_token, revoke_token
from tests.accounts import CODE, FORGOTTEN, SET_UP, WELCOME, code_of, forget_codes, sign_in
from tests.consoles import HELP, LIST, NEW, SETTINGS, SIGN_IN, Console, read, row_url
from tests.support import PASSWORD, Api

CANARY = "tweety-4711"
OPTIONS = "/tenant/options"
LOG = "/administration/audit-log/"
LOGINS = "/devices/credentials/"
ADMINISTRATION = "/administration/options/"
PEOPLE = "/administration/people/"
SERVICES = "/administration/services/"
TENANTS = "/administration/tenants/new/"
EXTENSIONS = "/settings/extensions/"
LINK = r"/welcome/([\w-]{40,})/"
TOKEN = r"ght_[\w-]{40,}"
RECOVERY_CODE = r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}"
BROWSER = ("gatehouse_session", "gatehouse_known")  # cookies


@pytest.fixture
def console(house):
    return Console


@pytest.fixture
def logged(caplog):
    """Return everything that was logged, with what the lines were made of."""
    caplog.set_level(logging.DEBUG)
    return lambda: "\n".join([caplog.text, *(str(record.__dict__) for record in caplog.records)])


@pytest.fixture
def done(house, api, device, console, person, make_registration, operator, logged, capfd):
    """Do everything; return the secrets, and what was answered meanwhile."""
    secrets, answers = {CANARY}, []
    admin, office = api("acme/administrator"), console("acme/administrator")
    anna = person("acme/reader")
    by = Actor("administrator", person("acme/administrator"), "192.0.2.1", "request")

    # Options: at every door, set, changed, refused, removed, reserved.
    name, key = "mail/credentials.password", "credentials.password"
    answers += [
        admin.post(OPTIONS, {"category": "mail", "key": key, "value": f"{CANARY}-1"}),
        admin.put(f"{OPTIONS}/{name}", {"value": f"{CANARY}-2"}),
        admin.put(f"{OPTIONS}/mail", {"host": "mail.example", key: f"{CANARY}-3"}),
        admin.put(f"{OPTIONS}/mail", {key: f"{CANARY}-4", "bad": None}),
        admin.put(f"{OPTIONS}/{name}", {"value": CANARY * 2000}),
        office.post(f"{ADMINISTRATION}change/",
                    {"category": "mail", "key": key, "value": f"{CANARY}-5"}),
        office.post(f"{ADMINISTRATION}change/",
                    {"category": "mail", "key": key, "value": f"{CANARY}\x00"}),
        office.post(f"{ADMINISTRATION}new/",
                    {"category": "a/b", "key": "credentials.x", "value": f"{CANARY}-6"}),
        office.post(f"{ADMINISTRATION}new/",
                    {"category": "c", "key": "credentials.x", "value": f"{CANARY}-7"}),
        admin.delete(f"{OPTIONS}/c/credentials.x"),
    ]  # fmt: skip
    set_option(house["management"], "mail", key, f"{CANARY}-8", by=by)
    set_editable(TenantOption.objects.get(tenant="acme", key=key), is_editable=False, by=by)

    # Extensions: the secret shared with a service; taken, refused, changed, used.
    lora = {"name": "LoRa", "context_path": "lora", "base_url": "https://127.0.0.1", "priority": 1,
            "has_single": "on"}  # fmt: skip
    answers += [
        office.post(f"{EXTENSIONS}add/", {**lora, "secret": f"{CANARY} x"}),
        office.post(f"{EXTENSIONS}add/", {**lora, "name": "", "secret": f"{CANARY}-9"}),
        office.post(f"{EXTENSIONS}add/", {**lora, "secret": f"{CANARY}-10"}),
    ]
    extension = Extension.objects.get()
    assert extension.secret == f"{CANARY}-10"
    answers += [
        office.post(f"{EXTENSIONS}{extension.pk}/edit/", {**lora, "secret": f"{CANARY}-11"}),
        office.post(f"{EXTENSIONS}{extension.pk}/test/"),
    ]

    # Devices: tokens right and wrong, passwords delivered, a login with one.
    rows = [make_registration(f"press-{number}") for number in range(3)]
    for row in rows:
        device.poll(row.device_id, f"{CANARY}-token")
    answers += [
        api("acme/operator").accept("press-0", f"{CANARY}-wrong"),
        api("acme/operator").accept("press-0", f"{CANARY}-token"),
        console("acme/operator").post(row_url(rows[1], "accept/"), {"token": f"{CANARY}-wrong"}),
        device.poll("press-1", f"{CANARY}-other"),
    ]
    password = device.poll("press-0", f"{CANARY}-token").json()["password"]
    secrets.add(password)
    answers.append(Api("acme/device_press-0", password).get("/user/currentUser"))
    found, answered = do_what_is_done_to_logins(api, console, password)
    secrets |= found
    answers += answered
    make_registration("blocked", stage=Stage.BLOCKED, token=f"{CANARY}-token")

    # People and services: passwords, links, tokens; made, used, refused, revoked.
    User.objects.create_user(anna.tenant, "berta", f"{CANARY}-password")
    link = OneTimeLink.objects.create(
        user=anna, purpose="password-reset", digest=link_digest(f"{CANARY}-link"),
        expires_at="2999-01-01T00:00Z",
    )  # fmt: skip
    assert use_link(link, f"{CANARY}-new-password", by=by)
    token, text = make_token(by.user, "for the canary", ["ROLE_AUDIT_READ"], expires_at=None, by=by)
    secrets.add(text)
    with_token = Api()
    with_token.headers["Authorization"] = f"Bearer {text}"
    answers.append(with_token.get("/audit/auditRecords"))
    revoke_token(token, by=by)
    answers.append(with_token.get("/audit/auditRecords"))
    answers += [
        console().post(SIGN_IN, {"username": "acme/reader", "password": f"{CANARY}-wrong"}),
        console().post(SIGN_IN, {"username": "acme/reader", "password": f"{CANARY}-new-password"}),
        Api("acme/operator", f"{CANARY}-wrong").get("/user/currentUser"),
        Api("acme/reader", f"{CANARY}-new-password").get("/user/currentUser"),
    ]
    found, answered = do_what_shows_a_secret_once(house, api, console, person, by)
    secrets |= found
    answers += answered
    assert AuditRecord.objects.count() > 40
    return secrets, answers


def do_what_is_done_to_logins(api, console, password):
    """Renew the password of a device, use both, and delete it; return the new one, and answers."""
    desk = console("acme/operator")
    login = DeviceCredentials.objects.get(device_id="press-0")
    at = f"{LOGINS}{login.pk}/"
    answers = [desk.get(f"{at}rotate/"), desk.post(f"{at}rotate/", {"overlap": f"{CANARY}-x"})]
    shown = desk.post(f"{at}rotate/", {"overlap": "week"})
    new = read(shown).one("input", id="password-text")["value"]
    answers += [
        Api("acme/device_press-0", each).get("/user/currentUser")
        for each in (password, new, password, f"{CANARY}-guess")
    ]
    assert [answer.status_code for answer in answers[2:]] == [200, 200, 401, 401]
    user = "/user/acme/users/device_press-0"
    answers += [desk.get(at), desk.get(LOGINS), api("acme/administrator").get(user)]
    answers += [desk.post(f"{at}disable/"), desk.post(f"{at}delete/", {"reason": "Sold."})]
    answers.append(Api("acme/device_press-0", new).get("/user/currentUser"))
    answers.append(desk.get("/devices/deleted/"))
    return {new}, answers


def do_what_shows_a_secret_once(house, api, console, person, by):
    """Make what is handed over once and used by whoever has it; return it, and other answers."""
    secrets, answers = set(), []
    office = console("acme/administrator")

    def keep(response, pattern):
        found = re.findall(pattern, html.unescape(response.content.decode()))
        assert found, response.content
        secrets.update(found)
        return found

    # Links: of an invitation, a reset and a new tenant; opened, refused, asked for by a stranger.
    invited = {"username": "carla", "roles": [house["acme"].global_roles.get(name="reader").pk]}
    link = keep(office.post(f"{PEOPLE}invite/", invited), LINK)[0]
    operator = person("acme/operator")
    keep(office.post(f"{PEOPLE}{operator.pk}/link/"), LINK)
    visitor = console()
    answers += [
        visitor.get(f"{WELCOME}{link}/"),
        visitor.post(WELCOME, {"new_password1": f"{CANARY}-link", "new_password2": "other"}),
        console().post(FORGOTTEN, {"username": "acme/operator"}),
    ]
    above = console("management/administrator")
    umbrella = {"id": "umbrella", "company": "Umbrella", "admin_username": "admin"}
    keep(above.post(TENANTS, umbrella), LINK)
    sent = {"company": "Rest", "domain": "rest.example", "adminName": "jo",
            "adminPass": f"{CANARY}-rest-password", "adminEmail": "jo@rest.example"}  # fmt: skip
    rest = api("management/administrator")
    answers += [rest.post("/tenant/tenants", sent), rest.post("/tenant/tenants", sent)]
    assert [answer.status_code for answer in answers[-2:]] == [201, 409]
    made = Api(f"{answers[-2].json()['id']}/jo", sent["adminPass"]).get("/user/currentUser")
    assert made.status_code == 200
    answers.append(made)

    # Second factors: the key while it is set up, codes wrong and right, new recovery codes.
    own = console("acme/operator")
    own.post(SET_UP, {"current": PASSWORD})
    app = Authenticator.objects.get(user=operator)
    assert app.secret_text in own.get(SET_UP).content.decode()
    secrets |= {app.secret_text, app.secret_text.replace(" ", ""), app.bin_key.hex()}
    codes = keep(own.post(SET_UP, {"code": code_of(app)}), RECOVERY_CODE)
    forget_codes(operator)
    answers.append(own.get(SET_UP))
    door = sign_in("acme/operator")
    answers += [door.post(CODE, {"code": codes[0][:-1] + "x"})]
    forget_codes(operator)
    answers += [door.post(CODE, {"code": codes[1]})]
    secrets |= {code.replace("-", "") for code in codes}
    keep(door.post("/profile/recovery-codes/", {"current": PASSWORD}), RECOVERY_CODE)

    # Tokens and service secrets, each shown once; the browser's own keys.
    scopes = {"name": "mine", "scopes": ["ROLE_AUDIT_READ"], "expires": "30"}
    keep(office.post("/profile/tokens/new/", scopes), TOKEN)
    answers.append(office.get("/profile/"))
    service = {"username": "knocker", "is_bootstrap": "on"}
    response = office.post(f"{SERVICES}new/", service)
    shown = read(response).one(id="secret-text")
    secrets.add(shown.attrs.get("value") or shown.text)
    browser = sign_in("globex/operator")
    secrets |= {browser.client.cookies[name].value for name in BROWSER}
    answers += [browser.get("/profile/"), browser.post("/profile/sessions/end/")]
    return secrets, answers


def assert_silent(text, secrets, where):
    for secret in (*secrets, PASSWORD):
        assert secret not in text, where


def test_what_was_done_includes_every_kind_that_has_secrets(done):
    kinds = set(AuditRecord.objects.values_list("type", flat=True))
    assert kinds >= {audit.Type.OPTION, audit.Type.REGISTRATION, audit.Type.TOKEN, audit.Type.USER}
    activities = set(AuditRecord.objects.values_list("activity", flat=True))
    assert activities >= {
        "Option set", "Option changed", "Option removed", "Option reserved",
        "API token created", "API token revoked", "Password chosen",
        "User invited", "Password reset link made", "Second factor set up",
        "Recovery codes renewed", "Tenant created",
    }  # fmt: skip


def test_canary_sings_where_a_secret_is_not_known_for_one(done, acme, operator):
    set_option(acme, "mail", "plain", CANARY, by=operator)
    with pytest.raises(AssertionError):
        test_no_audit_record_has_a_secret(done)
    with pytest.raises(AssertionError):
        test_no_row_of_any_table_has_a_secret(done)


def test_no_audit_record_has_a_secret(done):
    secrets, _ = done
    for row in AuditRecord.objects.values():
        assert_silent(repr(row), secrets, row["activity"])


def test_no_row_of_any_table_has_a_secret(done):
    secrets, _ = done
    for model in apps.get_models():
        for row in model._base_manager.values():
            row.pop("session_key", None)  # the framework finds a session by its key
            # Accounts of the suite have quick hashes, and nothing else of their passwords.
            assert_silent(repr(row), secrets, model._meta.label)


def test_no_answer_but_the_one_that_hands_it_over_has_a_secret(done):
    secrets, answers = done
    for answer in answers:
        request = answer.wsgi_request
        assert_silent(answer.content.decode(), secrets, f"{request.method} {request.path}")


@pytest.mark.parametrize("login", ["acme/administrator", "management/administrator"])
def test_no_page_export_or_record_shows_a_secret(done, console, api, login):
    secrets, _ = done
    office, caller = console(login), api(login)
    urls = [LIST, NEW, SETTINGS, HELP, ADMINISTRATION, f"{ADMINISTRATION}?tenant=acme", LOG,
            LOGINS, "/devices/deleted/", EXTENSIONS]  # fmt: skip
    urls += [f"{EXTENSIONS}{one.pk}/edit/" for one in Extension.objects.all()]
    urls += [f"{LOG}{pk}/" for pk in AuditRecord.objects.values_list("pk", flat=True)]
    urls += [row_url(row) for row in Registration.objects.all()]
    for option in TenantOption.objects.all():
        names = f"category={option.category}&key={option.key}&tenant={option.tenant_id}"
        urls += [f"{ADMINISTRATION}change/?{names}", f"{ADMINISTRATION}{option.pk}/reset/"]
    seen = 0
    for url in urls:
        response = office.get(url)
        seen += response.status_code == 200
        assert_silent(response.content.decode(), secrets, url)
    assert seen > 20
    assert_silent(
        b"".join(office.post(f"{LOG}export/").streaming_content).decode(), secrets, "export"
    )
    for path in ("/audit/auditRecords?pageSize=2000", f"{OPTIONS}?pageSize=2000", f"{OPTIONS}/mail",
                 f"{OPTIONS}/mail/credentials.password",
                 f"{OPTIONS}/mail/credentials.password?evaluate=inherited"):  # fmt: skip
        answer = caller.get(path)
        assert_silent(answer.content.decode(), secrets, path)


def test_no_line_of_the_log_has_a_secret(done, logged, capfd):
    secrets, _ = done
    assert_silent(logged(), secrets, "log")
    out, err = capfd.readouterr()
    assert_silent(out + err, secrets, "output")
