#!/usr/bin/env python3
"""Stands between Kannel and a service for incoming messages: asks Yumen for each, and hands on what isn't blocked.

    YUMEN_TOKEN=… kannel_hook.py --listen 127.0.0.1:8090 --yumen http://127.0.0.1:8460/v1/decisions --forward http://127.0.0.1:8080/sms

kannel.conf:

    group = smsbox
    ...
    mo-recode = true

    group = sms-service
    keyword = default
    catch-all = true
    max-messages = 0
    get-url = "http://127.0.0.1:8090/?from=%p&to=%P&text=%a"

Fail-open: without an answer in time the message goes on.
"""

import argparse
import json
import os
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TIMEOUT_S = 1.0


def is_blocked(options, message):
    question = {"sms": {**message, "direction": "deliver"}}
    headers = {"Content-Type": "application/json"}
    token = os.environ.get("YUMEN_TOKEN")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(options.yumen, json.dumps(question).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)["block"]
    except (OSError, ValueError, KeyError):
        return False


def handler(options):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
            message = {key: query.get(key, "") for key in ("from", "to", "text")}
            body = b""
            if not is_blocked(options, message):
                url = f"{options.forward}?{urllib.parse.urlencode(message)}"
                try:
                    with urllib.request.urlopen(url, timeout=10) as answer:
                        body = answer.read()
                except OSError:
                    # Kannel tries again later.
                    return self.send_error(503)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """What people write doesn't belong into a log."""

    return Handler


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", default="127.0.0.1:8090")
    parser.add_argument("--yumen", default="http://127.0.0.1:8460/v1/decisions")
    parser.add_argument("--forward", required=True, help="the service that Kannel would have asked")
    options = parser.parse_args()
    host, port = options.listen.rsplit(":", 1)
    ThreadingHTTPServer((host, int(port)), handler(options)).serve_forever()


if __name__ == "__main__":
    main()
