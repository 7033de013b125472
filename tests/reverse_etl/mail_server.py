"""A mail server on loopback that keeps what it gets."""

import socketserver
import threading
from contextlib import contextmanager
from email import message_from_bytes


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.say(220)
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.say(354)
                self.server.mails.append(message_from_bytes(b"".join(self.body())))
                self.say(250)
            elif verb == b"RCPT" and self.server.refuses:
                self.say(550)
            else:
                self.say(221 if verb == b"QUIT" else 250)
                if verb == b"QUIT":
                    return
            self.server.envelope += [line.strip().decode()] if verb in {b"MAIL", b"RCPT"} else []

    def body(self):
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            yield line

    def say(self, code):
        self.wfile.write(f"{code} so be it\r\n".encode())


@contextmanager
def mail_server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.mails, server.envelope, server.refuses = [], [], False
        server.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
