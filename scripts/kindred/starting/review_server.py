"""The small server behind pages on which people decide: it saves that, and ends when all is done.

It listens on this machine alone, under an address that nobody else knows (a token), answers no page
of another origin, and sends nothing anywhere. Knows HTTP; what decisions mean it doesn't.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kindred.common.errors import KindredError

HOST, PORT = "127.0.0.1", 0  # 0: any port that is free
LARGEST = 5_000_000  # bytes of a request
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class ReviewServer:
    """Serves a page, and gives what the page posts to a function.

    page: the page's HTML by its own address. decide: takes the JSON that is posted to 'decide' and
    returns the answer's; its KindredError becomes the answer. Raises KindredError where no port is
    to be had.
    """

    def __init__(self, page: Callable[[str], str], decide: Callable[[Any], Any]) -> None:
        self.page, self.decide, self.lock = page, decide, threading.Lock()
        self.token = secrets.token_urlsafe(24)
        try:
            self.http = ThreadingHTTPServer((HOST, PORT), _handler(self))
        except OSError as error:
            cure = (
                "open the page as a file instead; it then saves a people.yaml for you to move "
                "into the folder"
            )
            raise KindredError(f"can't open a port ({error.strerror})", HOST, cure) from error
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]

    @property
    def path(self) -> str:
        """The only path that is answered, and what begins with it."""
        return f"/{self.token}/"

    @property
    def address(self) -> str:
        """To open in a browser."""
        return f"http://{HOST}:{self.port}{self.path}"

    def serve(self) -> None:
        """Answer until the page says that it is finished, or Ctrl-C."""
        try:
            with suppress(KeyboardInterrupt):
                self.http.serve_forever(0.1)
        finally:
            self.http.server_close()

    def open_browser(self) -> None:
        """Show the page, where there is a screen: in a terminal a browser of texts would come."""
        screens = ("DISPLAY", "WAYLAND_DISPLAY")
        if sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in screens):
            webbrowser.open(self.address)

    def finish(self) -> None:
        """End `serve`, from another thread."""
        threading.Thread(target=self.http.shutdown).start()


def _handler(server: ReviewServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "Kindred", ""

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: addresses hold the token."""

        def do_GET(self) -> None:
            if self._allowed() and self.path == server.path:
                self._answer(HTTPStatus.OK, server.page(server.path), "text/html")
            else:
                self._nothing()

        def do_POST(self) -> None:
            if not self._allowed():
                self._nothing()
            elif self.path == f"{server.path}decide":
                self._decide()
            elif self.path == f"{server.path}finish":
                self._answer(HTTPStatus.OK, "{}", "application/json")
                server.finish()
            else:
                self._nothing()

        def _decide(self) -> None:
            try:
                length = int(self.headers.get("Content-Length", ""))
                if not 0 <= length <= LARGEST:
                    raise ValueError(length)
                change = json.loads(self.rfile.read(length))
                with server.lock:
                    status, answer = HTTPStatus.OK, server.decide(change)
            except KindredError as error:
                status, answer = HTTPStatus.BAD_REQUEST, {"error": str(error)}
            except ValueError:
                status, answer = HTTPStatus.BAD_REQUEST, {"error": "this is no decision"}
            self._answer(status, json.dumps(answer), "application/json")

        def _allowed(self) -> bool:
            """Whether the page itself asks: by this machine's own name, and from no other page."""
            hosts = {f"{name}:{server.port}" for name in (HOST, "localhost")}
            origin = self.headers.get("Origin")
            own = origin is None or origin.removeprefix("http://") in hosts
            token = secrets.compare_digest(self.path.split("/")[1].encode(), server.token.encode())
            return self.headers.get("Host") in hosts and own and token

        def _nothing(self) -> None:
            self._answer(HTTPStatus.NOT_FOUND, "nothing here", "text/plain")

        def _answer(self, status: HTTPStatus, text: str, kind: str) -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            for name, value in HEADERS.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

    return Handler
