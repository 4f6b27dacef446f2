"""A real HTTP server in a thread that answers as told: for clients that must meet sockets."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What is answered; `cut` closes the connection in the middle of the body."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


def unzipped(request: Request) -> bytes:
    """The body of a request, whether it came compressed or not."""
    return gzip.decompress(request.body) if request.headers.get("Content-Encoding") == "gzip" else request.body


@contextmanager
def http_server(answer: Callable[[Request], Answer]) -> Iterator[str]:
    """Serve on a free port of the loopback while the context lasts; its URL. `answer` runs in a thread."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            told = answer(Request(self.command, self.path, dict(self.headers), body))
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            if told.status != 204:
                self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            if told.status != 204:
                self.wfile.write(told.body[: len(told.body) // 2] if told.cut else told.body)
            self.close_connection = told.cut

        do_GET = do_PUT = do_POST

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
