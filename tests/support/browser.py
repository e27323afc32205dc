"""A headless Chromium for tests of pages, through chromedriver's own protocol (W3C WebDriver).

Knows how to start, look and type; skips the test with a reason where there is no Chromium.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from waiting import LONG_S, until

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
KEYS = {"left": "\ue012", "right": "\ue014", "escape": "\ue00c", "enter": "\ue007"}


class Browser:
    """One window."""

    def __init__(self, port: int, downloads: Path) -> None:
        self.address, self.downloads, self.session = f"http://127.0.0.1:{port}", downloads, ""

    def start(self) -> None:
        """Wait for the driver and open a window."""
        until(self._answers)
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,900"]
        arguments += ["--disable-dev-shm-usage", "--force-prefers-reduced-motion"]
        options = {
            "args": arguments,
            "prefs": {"download.default_directory": str(self.downloads)},
        }
        wanted = {
            "alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        }
        self.session = self.call("/session", {"capabilities": wanted})["sessionId"]

    def _answers(self) -> bool:
        try:
            self.call("/status")
        except OSError:
            return False
        return True

    def call(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """One request to the driver; its answer's value."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=LONG_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from None

    def do(self, path: str, body: Any = None) -> Any:
        """One request to this window."""
        return self.call(f"/session/{self.session}/{path}", body)

    def open(self, page: Path) -> None:
        """Load a file to its end; the driver itself sometimes answers before that."""
        self.do("url", {"url": page.resolve().as_uri()})
        self._wait(f"document.URL === {json.dumps(page.resolve().as_uri())}")

    def reload(self) -> None:
        """Load the same file again."""
        self.run("window.stale = true")
        self.do("refresh", {})
        self._wait("!window.stale")

    def reload_to(self, fact: str) -> None:
        """Load the same file again until an expression is true: what a page kept reaches the
        browser's storage a moment later than the page."""

        def there() -> bool:
            self.reload()
            return bool(self.run(fact))

        until(there, lambda: fact)

    def _wait(self, fact: str) -> None:
        self.until(f"{fact} && document.readyState === 'complete'")

    def until(self, fact: str) -> None:
        """Wait until an expression is true."""
        until(lambda: self.run(fact), lambda: fact)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        return self.do("execute/sync", {"script": f"return ({script})", "args": []})

    def type(self, *keys: str) -> None:
        """Press keys one after another, as a person does."""
        presses = []
        for key in keys:
            value = KEYS.get(key, key)
            presses += [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self.do("actions", {"actions": [{"type": "key", "id": "keys", "actions": presses}]})

    def click(self, selector: str) -> None:
        """Click the first element that fits."""
        found = self.do("element", {"using": "css selector", "value": selector})
        self.do(f"element/{next(iter(found.values()))}/click", {})

    def devtools(self, command: str, **parameters: Any) -> Any:
        """A command of the DevTools protocol."""
        return self.do("goog/cdp/execute", {"cmd": command, "params": parameters})

    def errors(self) -> list[str]:
        """What the page complained of since the last time."""
        return [one["message"] for one in self.do("se/log", {"type": "browser"})]


@contextmanager
def browser(downloads: Path) -> Iterator[Browser]:
    """A window that closes at the end. Skips the test where Chromium or its driver is missing."""
    driver = shutil.which("chromedriver")
    if not driver or not any(shutil.which(name) for name in CHROMIUM):
        pytest.skip("needs Chromium and chromedriver (Debian: chromium, chromium-driver)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    window = Browser(port, downloads)
    try:
        window.start()
        yield window
    finally:
        if window.session:
            window.call(f"/session/{window.session}", method="DELETE")
        process.terminate()
        process.wait(LONG_S)
