"""Stands in for each of the services: copied to services/NAME.py of a folder, it plays the role NAME.

Every role notes down its process id and its settings in a file of the folder that FAKE_NOTES names.
FAKE_MISBEHAVE is a list of ROLE:FAULT; the faults are in `_misbehave`.
"""

import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROLE = Path(__file__).stem
NOTES = Path(os.environ["FAKE_NOTES"])
FAULTS = [
    fault
    for role, _, fault in (item.partition(":") for item in os.environ.get("FAKE_MISBEHAVE", "").split())
    if role == ROLE
]


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/readyz" and "not-ready" in FAULTS:
            self._answer(503, {"status": "not ready", "parts": {"kafka": "ok", "postgres": "it is a stand-in"}})
        else:
            self._answer(200 if self.path == "/readyz" else 404, {"status": "?", "parts": {}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = body["refresh_token"].startswith("token-") and "forgets-tokens" not in FAULTS
        self._answer(200 if known else 401, {})

    def _answer(self, status: int, body: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def note(**more: object) -> None:
    scratch = NOTES / f"{ROLE}.new"
    scratch.write_text(json.dumps({"pid": os.getpid(), "argv": sys.argv[1:], "settings": dict(os.environ), **more}))
    scratch.replace(NOTES / f"{ROLE}.json")


def serve(setting: str) -> ThreadingHTTPServer:
    return ThreadingHTTPServer(("127.0.0.1", int(os.environ[setting])), Healthy)


def main() -> None:
    if "fails" in FAULTS:
        sys.exit(f"{ROLE} fails as it was told")
    if ROLE == "init":
        note()
    elif ROLE == "admin":
        note()
        print(json.dumps({"environment": "demo", "user": "demo", "sdk_token": f"token-{time.time_ns()}"}))
    else:
        run()


def run() -> None:
    helper = subprocess.Popen(["sleep", "600"]) if "has-a-helper" in FAULTS else None
    if "ignores-sigterm" in FAULTS:
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    health = serve("PIPELOOM_HEALTH__PORT")
    if ROLE == "gateway":
        threading.Thread(target=serve("PIPELOOM_HTTP__PORT").serve_forever, daemon=True).start()
    note(helper=helper.pid if helper else None)
    if "never-ready" in FAULTS:
        time.sleep(600)
    health.serve_forever()


if __name__ == "__main__":
    main()
