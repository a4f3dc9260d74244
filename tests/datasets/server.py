"""A web server on this machine that misbehaves as told."""

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Handler(BaseHTTPRequestHandler):
    """Answers with what the server's `plan` makes of the request: (status, headers, body), and notes what was asked."""

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        status, headers, body = self.server.plan(self.path.rpartition("/")[2], start)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        """Tests are quiet."""


@contextmanager
def serving(plan):
    """A running server; `.address` is its mirror URL, `.asked` lists (path, Range)."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.plan, server.asked = plan, []
    server.address = f"http://127.0.0.1:{server.server_port}/"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def honest(contents):
    """Serves whole files and the rest of files."""

    def plan(name, start):
        if name not in contents:
            return 404, {"Content-Length": "0"}, b""
        return whole(contents[name]) if not start else rest(contents[name], start)

    return plan


def whole(content):
    return 200, {"Content-Length": str(len(content))}, content


def rest(content, start):
    if start >= len(content):
        return 416, {"Content-Length": "0"}, b""
    size = len(content)
    body = content[start:]
    return 206, {"Content-Length": str(len(body)), "Content-Range": f"bytes {start}-{size - 1}/{size}"}, body


def breaking(content, at):
    """The first `at` bytes of what was asked for, and then the line is cut."""

    def plan(name, start):
        status, headers, body = rest(content, start) if start else whole(content)
        return status, headers, body[:at]

    return plan
