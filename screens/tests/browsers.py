"""A browser for tests, and how a person logs in with it."""

from playwright.sync_api import Page

PASSWORD = "a long enough secret"
CHROMIUM = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def log_in(page: Page, address: str) -> None:
    page.goto(f"{address}/login/")
    page.fill("#id_username", "anna")
    page.fill("#id_password", PASSWORD)
    page.click("main button.button")
