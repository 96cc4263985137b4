"""An OpenLineage endpoint on loopback that writes down the run ids it took."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def endpoint(taken: list[str], *, refused: str = "", at: str = "") -> Iterator[str]:
    """Its address; `refused` is a run id that it answers with 422, `at` an address to have."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # http.server's spelling
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            identity = body["run"]["runId"]
            if identity != refused:
                taken.append(identity)
            self.send_response(422 if identity == refused else 201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", int(at.rpartition(":")[2] or 0)), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
