"""A microservice as they are written for the original: knows nothing of Gatehouse.

It takes what the platform's gateway hands on, looks at no login, asks for nested groups in
the vocabulary of 2020-12, and answers with what is published of the contract.
"""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECURITY = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "title": "Security",
    "required": ["endpoint", "bootstrapSecurity"],
    "properties": {
        "endpoint": {"type": "string", "title": "Endpoint", "examples": ["urn:imei:4711"]},
        "bootstrapSecurity": {
            "type": "object",
            "title": "Bootstrap security",
            "required": ["mode"],
            "properties": {
                "mode": {
                    "type": "string",
                    "title": "Mode",
                    "enum": ["NO_SEC", "PSK"],
                    "default": "NO_SEC",
                },
                "key": {"type": "string", "title": "Key", "contentMediaType": "text/plain"},
            },
        },
    },
}
SERVER = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$comment": "a keyword that nobody draws",
    "type": "object",
    "title": "Server",
    "properties": {
        "shortServerId": {"type": "integer", "title": "Short server ID", "default": 1},
        "keepsOldValues": {"type": "boolean", "title": "Keep old values", "x-unknown": {"a": []}},
    },
}
METADATA = {
    "c8y_DeviceRegistration": {
        "title": "LWM2M",
        "description": "Devices that speak LWM2M",
        "pages": [SECURITY, SERVER],
        "bulk": {"title": "LWM2M devices", "exampleFileUrls": []},
    }
}
told: list[list[str]] = []  # what it was handed


class Microservice(BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.partition("?")[0]
        self.answer(200, told if path == "/told" else METADATA)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        told.append([self.path, self.headers["Content-Type"], body])
        if self.path.endswith("/bulk"):
            done = {"operationId": "17", "sourceDeviceId": "4711", "message": "Two devices."}
            self.answer(200, done)
        elif "taken" in body:
            problem = {"error": "lwm2m/Conflict", "message": "The endpoint <b>is</b> taken."}
            self.answer(409, problem)
        else:
            self.answer(201, [])

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json;charset=UTF-8")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Microservice).serve_forever()
