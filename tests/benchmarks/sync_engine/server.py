"""The loopback server, in a process of its own: it reads a request, counts its rows and says so."""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer waits 40 ms for an acknowledgement
    rows = requests = 0

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._answer({"rows": Handler.rows, "requests": Handler.requests})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        taken = len(json.loads(body))
        Handler.rows += taken
        Handler.requests += 1
        self._answer({"taken": taken})

    def _answer(self, document):
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        sys.stdout.close()
        server.serve_forever()
