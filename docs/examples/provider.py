"""A provider: it registers pumps in Gatehouse, by a form of two pages and by files."""

import base64
import hmac
import json
import os
from email import message_from_string
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

REQUESTS = os.environ["GATEHOUSE_URL"] + "/devicecontrol/newDeviceRequests"
TOKENS = json.loads(os.environ["GATEHOUSE_TOKENS"])  # by tenant: {"acme": "ght_…"}
SERIAL = {"type": "string", "title": "Serial number", "pattern": "^P[0-9]{4}$"}
MODEL = {"type": "string", "title": "Model", "enum": ["small", "large"], "default": "small"}
DEPTH = {"type": "number", "title": "Depth in metres", "minimum": 0, "maximum": 300}
PUMP = {"title": "Pump", "properties": {"id": SERIAL, "model": MODEL}, "required": ["id"]}
WELL = {"title": "Well", "properties": {"depth": DEPTH}, "required": ["depth"]}
EXAMPLE = {"title": "Two pumps", "description": "A serial number a line", "url": "/pumps.csv"}
BULK = {"title": "Register pumps by a file", "exampleFileUrls": [EXAMPLE]}
METADATA = {"c8y_DeviceRegistration": {"title": "Pump", "pages": [PUMP, WELL], "bulk": BULK}}


class Provider(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(errors="replace")
        login = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic "))
        user, _, secret = login.partition(b":")  # acme/pumps:secret, in acme's name
        if not hmac.compare_digest(secret, os.environb[b"PROVIDER_SECRET"]):
            self.answer(401, {"message": "The shared secret is another one."})
        elif self.command == "GET":
            self.answer(200, METADATA if "/metadata?lang=" in self.path else "P0001\nP0002\n")
        else:
            token = TOKENS.get(user.decode().partition("/")[0])
            self.register(token, self.rows(body) if "/bulk" in self.path else [json.loads(body)])

    do_POST = do_GET  # noqa: N815

    def rows(self, body: str) -> list[dict[str, object]]:
        form = f"Content-Type: {self.headers['Content-Type']}\n\n{body}"
        _, file = message_from_string(form).walk()  # its only part
        return [{"id": line} for line in str(file.get_payload()).split()]

    def register(self, token: str, pumps: list[dict[str, object]]) -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            for pump in pumps:
                wanted = json.dumps({"id": pump.pop("id"), "customProperties": pump}).encode()
                urlopen(Request(REQUESTS, wanted, headers), timeout=10).close()
            self.answer(201, {"message": f"Registered: {len(pumps)}."})
        except HTTPError as error:  # Gatehouse says why, in a message as the contract has it
            self.answer(422, json.load(error))

    def answer(self, status: int, body: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode() if isinstance(body, str) else json.dumps(body).encode())


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Provider).serve_forever()
