"""A real browser: Debian's Chromium, driven by Playwright. Without one the tests are skipped, or fail where CI asks."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.factories import UserFactory

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MS = 15_000


def chromium() -> str:
    """Where Chromium is; skips the test where there is none, fails it where `TOLLBOOK_REQUIRE_BROWSER=1`."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is not None:
        return found
    missing = "There is no Chromium on the PATH: tests in a browser are left out."
    if os.environ.get("TOLLBOOK_REQUIRE_BROWSER") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module: while it is open, an event loop runs in this thread."""
    path = chromium()
    with pytest.MonkeyPatch.context() as patch:
        # Playwright runs an event loop in this thread; Django's check against that is for servers.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
            yield opened
            opened.close()


@pytest.fixture
def faults() -> list[str]:
    """What went wrong in the page that a person would not see: answers of 400 and more, errors of scripts."""
    return []


@pytest.fixture
def page(browser: Browser, live_server: object, faults: list[str]) -> Iterator[Page]:
    """A window of staff who may do everything, on the landing page. At the end nothing may have gone wrong in it."""
    clerk = UserFactory(username="clerk", is_superuser=True)
    clerk.set_password("open sesame")
    clerk.save()
    context = browser.new_context(base_url=str(live_server), viewport={"width": 1400, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    opened.on("response", lambda response: faults.append(response.url) if response.status >= 400 else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.goto("/admin/")
    opened.get_by_label("Username").fill("clerk")
    opened.get_by_label("Password").fill("open sesame")
    opened.get_by_role("button", name="Log in").click()
    opened.get_by_role("heading", name="What to do next").wait_for()
    yield opened
    context.close()
    assert faults == []
