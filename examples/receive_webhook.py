"""Receive webhooks on port 8001 and check their signatures (`pip install standardwebhooks`)."""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            message = webhook.verify(body, dict(self.headers))
        except WebhookVerificationError:
            self.send_response(400)
        else:
            sys.stdout.write(f"{message['type']} {message['data']}\n")
            sys.stdout.flush()
            self.send_response(204)
        self.end_headers()


HTTPServer(("", int(os.environ.get("PORT", "8001"))), Receiver).serve_forever()
