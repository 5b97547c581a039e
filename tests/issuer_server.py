"""An issuer's documents on a real socket: its keys, its metadata, and who asked for them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from msgspec import Struct


class Documents(Struct):
    """`at` are documents by their paths; what is not there is a 404."""

    port: int
    at: dict[str, bytes]
    asked: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def documents(at: dict[str, bytes]) -> Iterator[Documents]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            document = at.get(self.path)
            self.send_response(404 if document is None else 200)
            self.send_header("content-length", str(len(document or b"")))
            self.end_headers()
            self.wfile.write(document or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="issuer")
    thread.start()
    try:
        yield Documents(server.server_port, at, asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
