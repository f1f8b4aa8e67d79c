"""A provider that does what none should. The path says what: ``/<place>/<fault>``.

At ``form`` the fault is in what it says about itself; at ``posts`` that is in order, and the
fault is in how it takes devices and files.
"""

import json
import os
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = {"type": "object", "title": "Device", "required": ["id"],
        "properties": {"id": {"type": "string", "title": "Number"}}}  # fmt: skip
METADATA = {
    "c8y_DeviceRegistration": {"title": "Well", "pages": [PAGE], "bulk": {"title": "Wells"}}
}
HUGE = 2 * 1024 * 1024  # bytes
DRIPPING = 0.2  # seconds between two bytes
waiting = threading.Semaphore(0)


class Provider(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/waiting/"):  # answers when so many are being kept waiting
            for _ in range(int(self.path.rpartition("/")[2])):
                waiting.acquire(timeout=30)
            self.answer("[]")
        elif self.path.startswith("/posts/"):
            self.answer(json.dumps(METADATA))
        else:
            self.misbehave()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.misbehave()

    def misbehave(self):
        with suppress(OSError):  # nobody has to listen to this to its end
            getattr(self, self.path.split("/")[2])()

    def html(self):
        self.answer("<!doctype html><script>alert(1)</script>", "text/html")

    def broken(self):
        self.answer('{"c8y_DeviceRegistration": {"pages": [')

    def huge(self):
        self.answer(json.dumps({**METADATA, "message": "x" * HUGE}))

    def redirect(self):
        self.answer("", status=302, Location=f"http://{self.headers['Host']}/posts/html")

    def silent(self):
        waiting.release()
        self.connection.recv(1)  # until the other side has gone

    def drip(self):
        waiting.release()
        self.answer("{")
        while True:
            self.wfile.write(b" ")
            time.sleep(DRIPPING)

    def answer(self, text, kind="application/json", status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Provider).serve_forever()
