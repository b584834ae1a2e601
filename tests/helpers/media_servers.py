"""A server that answers as one of the media servers does."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = Callable[[str, dict[str, str], Any, Any], Any]
"""What a server answers, given path, parameters, headers and JSON."""


@contextmanager
def server_of(answer: Answer) -> Iterator[str]:
    """The address of a server that answers with JSON, with bytes, or with a status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlsplit(self.path)
            given = {name: values[0] for name, values in parse_qs(where.query).items()}
            length = int(self.headers.get("content-length", 0))
            sent: Any = self.rfile.read(length) if length else None
            if sent and self.headers.get_content_type() == "application/json":
                sent = json.loads(sent)
            elif sent:
                sent = parse_qs(sent.decode("utf-8", "replace"))
            found = answer(where.path, given, self.headers, sent)
            content = b"" if isinstance(found, int) else found
            if not isinstance(content, bytes):
                content = json.dumps(content).encode()
            self.send_response(found if isinstance(found, int) else 200)
            self.send_header("Content-Length", str(len(content)))
            with suppress(OSError):  # who asked may have gone
                self.end_headers()
                self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
