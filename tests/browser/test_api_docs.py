"""The API is read on a page of our own server, and tried out with a token made in the console."""

import json
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, assert_no_sideways_scroll, serious_violations

PAGE = "/api/docs"


def make_token(page, *rights):
    page.goto("/profile/")
    page.get_by_role("link", name="Create token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("factory")
    for right in rights:
        dialog.locator(f'input[value="{right}"]').check()
    dialog.get_by_role("button", name="Create token").click()
    return dialog.get_by_label("Token", exact=True).input_value()


def endpoint(page, method, path):
    """Open an endpoint to try it out."""
    block = page.locator(f".opblock-{method}").filter(
        has=page.locator(f'[data-path="{path}"]')
    )  # fmt: skip
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    return block


def execute(block):
    """Send the request; return the status and the body that the page shows."""
    with block.page.expect_response("**/*") as answered:  # the one before is shown until then
        block.get_by_role("button", name="Execute").click()
    status = answered.value.status
    answer = block.locator(".live-responses-table .response").first
    expect(answer.locator(".response-col_status")).to_contain_text(str(status))
    return status, answer.locator(".highlight-code").first.inner_text()


def test_api_is_tried_out_with_a_token_made_in_the_console(open_page, others):
    page = open_page(None)
    token = make_token(page, "ROLE_DEVICE_CONTROL_READ", "ROLE_DEVICE_TYPE_ADMIN")
    asked, cookies = [], []

    def note(request):
        asked.append(urlsplit(request.url))
        if asked[-1].path.startswith(("/api/ops/", "/devicecontrol/")):
            cookies.append(request.all_headers().get("cookie"))

    page.on("request", note)
    others.register("to-be-read")
    page.goto("/")
    page.get_by_role("link", name="API", exact=True).click()
    expect(page.get_by_role("heading", name="API", level=1)).to_be_visible()

    block = endpoint(page, "get", "/devicecontrol/newDeviceRequests")
    assert execute(block)[0] == 401  # being signed in to the console opens nothing
    page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".modal-ux")
    dialog.get_by_label("auth-bearer-value").fill(token)
    dialog.get_by_role("button", name="Apply credentials").first.click()
    dialog.get_by_role("button", name="Close").first.click()
    block.get_by_role("button", name="Clear").click()
    status, body = execute(block)
    assert status == 200
    assert "to-be-read" in body

    block = endpoint(page, "post", "/api/ops/v1/devicetypes")
    sent = json.loads(block.locator("textarea").input_value())
    status, body = execute(block)
    assert status == 201
    assert sent["name"] in body
    assert execute(block)[0] == 409  # a second click: the name is taken

    assert {each.hostname for each in asked} == {"127.0.0.1"}
    assert set(cookies) == {None}
    # A login is forgotten with the page.
    page.reload()
    block = endpoint(page, "get", "/devicecontrol/newDeviceRequests")
    assert execute(block)[0] == 401
    assert token not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")


@pytest.mark.parametrize(
    "screen",
    [{"color_scheme": "light"}, PHONE | {"color_scheme": "dark"}],
    ids=["light", "dark, on a phone"],
)
def test_page_can_be_used_by_everybody_also_without_signing_in(open_page, screen):
    page = open_page(PAGE, login=None, **screen)
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    block = endpoint(page, "post", "/devicecontrol/newDeviceRequests")
    expect(block.get_by_role("button", name="Execute")).to_be_visible()
    assert_no_sideways_scroll(page)
    assert serious_violations(page) == []
    page.get_by_role("button", name="Authorize").click()
    expect(page.locator(".modal-ux")).to_be_visible()
    assert_no_sideways_scroll(page)
    assert serious_violations(page) == []
