"""As much of S3 as files need, in this process: objects appear when complete; buckets are there, closed or missing."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class Handler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"content-length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fail(self, status, code):
        self.answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())

    def handle_call(self):  # noqa: PLR0911 — an answer each
        body = self.body()
        url, objects = urlsplit(self.path), self.server.objects
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        asked = parse_qs(url.query, keep_blank_values=True)
        self.server.calls.append((self.command, key))
        if bucket != "exports":
            return self.fail(404, "NoSuchBucket")
        if self.server.is_closed:
            return self.fail(403, "AccessDenied")
        if self.command == "PUT":
            objects[key] = body
            return self.answer(200, etag='"e"')
        if self.command == "DELETE":
            objects.pop(key, None)
            return self.answer(204)
        if not key:
            return self.listed(asked.get("prefix", [""])[0], asked.get("delimiter", [""])[0])
        if key not in objects:
            return self.fail(404, "NoSuchKey")
        return self.given(objects[key])

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_call  # noqa: N815

    def given(self, content):
        begin, _, end = self.headers.get("range", "").removeprefix("bytes=").partition("-")
        facts = {"etag": '"e"', "last_modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        if not begin:
            return self.answer(200, content, **facts)
        part = content[int(begin) : int(end) + 1 if end else None]
        return self.answer(
            206, part, content_range=f"bytes {begin}-{int(begin) + len(part) - 1}/{len(content)}", **facts
        )

    def listed(self, prefix, delimiter):
        keys = [key for key in sorted(self.server.objects) if key.startswith(prefix)]
        folders = {}
        if delimiter:
            folders = {prefix + key[len(prefix) :].partition("/")[0] + "/" for key in keys if "/" in key[len(prefix) :]}
            keys = [key for key in keys if "/" not in key[len(prefix) :]]
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.server.objects[key])}</Size><ETag>e</ETag>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for key in keys
        ) + "".join(f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in sorted(folders))
        self.answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode())

    def body(self):
        length = int(self.headers.get("content-length") or 0)
        content = self.rfile.read(length)
        if "aws-chunked" not in self.headers.get("content-encoding", ""):
            return content
        whole = b""
        while content:
            size, _, rest = content.partition(b"\r\n")
            size = int(size.split(b";")[0], 16)
            if not size:
                break
            whole, content = whole + rest[:size], rest[size + 2 :]
        return whole

    def log_message(self, *_):
        pass


@contextmanager
def s3():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.objects, server.calls, server.is_closed = {}, [], False
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
