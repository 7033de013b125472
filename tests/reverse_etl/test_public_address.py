"""Private places by every spelling, names that mean them, and names that change their mind."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from reverse_etl import http
from reverse_etl.destination import DestinationRefused, NoAnswer, NotSent, Request
from reverse_etl.public_address import (
    AddressRefused,
    PinnedTransport,
    allowed_networks,
    checked_addresses,
    is_reachable,
    system,
)

PRIVATE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",  # noqa: S104
    "169.254.0.9",
    "169.254.169.254", "192.0.0.192", "100.100.100.200", "168.63.129.16", "198.18.0.1", "192.88.99.1",
    "192.0.2.1", "224.0.1.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1",
    "2002:7f00:1::", "2001:0:1:2:3:4:80ff:fffe", "2001:db8::1",
]  # fmt: skip
PUBLIC = [
    "93.184.216.34",
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
]
SPELLINGS = ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost"]


@pytest.fixture
def loopback(monkeypatch):
    monkeypatch.setenv("CDP_PRIVATE_NETWORKS", "127.0.0.0/8")


class Place(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.headers["host"], self.path))
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def place():
    with HTTPServer(("127.0.0.1", 0), Place) as server:
        server.answer, server.asked = (200, {}, b"here"), []
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Resolver:
    """Says each answer once, then the last one for ever."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    def __call__(self, *_):
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def send(address, *, resolve, path="/in", **options):
    with http.connect(address, only_public=True, resolve=resolve, **options) as transport:
        return transport(Request(path, b"{}"))


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_not_reachable(address):
    assert not is_reachable(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_reachable(address):
    assert is_reachable(address)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_loopback_is_recognised_however_it_is_written(spelling):
    with pytest.raises(AddressRefused, match="CDP_PRIVATE_NETWORKS"):
        checked_addresses(spelling, 443, system)


def test_one_private_address_among_public_ones_refuses_the_name():
    with pytest.raises(AddressRefused):
        checked_addresses("two.example", 443, lambda *_: ["1.1.1.1", "10.0.0.1"])


def test_an_allowed_network_is_reachable_and_nothing_else_is(loopback):
    assert is_reachable("127.0.0.1", allowed_networks())
    assert is_reachable("::ffff:127.0.0.1", allowed_networks())
    assert not is_reachable("10.0.0.1", allowed_networks())


def test_no_setting_allows_the_metadata_of_a_cloud(monkeypatch):
    monkeypatch.setenv("CDP_PRIVATE_NETWORKS", "0.0.0.0/0, ::/0")

    assert is_reachable("10.0.0.1", allowed_networks())
    for address in ("169.254.169.254", "::ffff:169.254.169.254", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"):
        assert not is_reachable(address, allowed_networks())


def test_a_misspelt_network_is_for_a_person(monkeypatch):
    monkeypatch.setenv("CDP_PRIVATE_NETWORKS", "localhost")

    with pytest.raises(DestinationRefused, match="must be networks"):
        allowed_networks()


def test_a_name_is_resolved_once_so_that_it_cannot_change_its_mind(place, loopback):
    resolver = Resolver(["127.0.0.1"], ["10.0.0.1"])
    port = place.server_address[1]

    with http.connect(f"http://inbox.example:{port}", only_public=True, resolve=resolver) as transport:
        for _ in range(2):
            assert transport(Request("/in", b"{}")).body == b"here"

    assert resolver.asked == 1
    assert place.asked == [(f"inbox.example:{port}", "/in")] * 2


def test_the_next_checked_address_is_tried_when_the_first_does_not_answer(place, loopback):
    port = place.server_address[1]

    assert send(f"http://inbox.example:{port}", resolve=lambda *_: ["127.9.9.9", "127.0.0.1"]).body == b"here"


def test_a_name_nobody_knows_was_certainly_not_reached():
    def unknown(*_):
        raise OSError("no such name")

    with pytest.raises(NotSent):
        send("https://nowhere.example", resolve=unknown)


def test_a_path_cannot_lead_to_another_host(place, loopback):
    port = place.server_address[1]

    with pytest.raises(NotSent):
        send(f"http://inbox.example:{port}", resolve=lambda *_: ["127.0.0.1"], path=f"http://127.0.0.1:{port}/in")
    assert place.asked == []


def test_a_redirect_is_an_answer_and_is_not_followed(place, loopback):
    place.answer = (307, {"location": "http://169.254.169.254/latest/meta-data"}, b"")

    assert send(f"http://inbox.example:{place.server_address[1]}", resolve=lambda *_: ["127.0.0.1"]).status == 307


def test_an_answer_that_is_too_long_is_none(place, loopback):
    place.answer = (200, {}, b"x" * 2_000)

    with pytest.raises(NoAnswer):
        send(f"http://i.example:{place.server_address[1]}", resolve=lambda *_: ["127.0.0.1"], most_bytes=1_000)


def test_the_certificate_must_be_that_of_the_name(place, loopback, tmp_path):
    certificate(tmp_path, "inbox.example")
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    place.socket = server_side.wrap_socket(place.socket, server_side=True)
    trusting = ssl.create_default_context(cafile=tmp_path / "certificate.pem")

    def ask(host):
        address = f"https://{host}:{place.server_address[1]}"
        inner = httpx.HTTPTransport(verify=trusting, trust_env=False)
        with httpx.Client(transport=PinnedTransport(inner, address, lambda *_: ["127.0.0.1"])) as client:
            return client.post(f"{address}/in", content=b"{}").text

    assert ask("inbox.example") == "here"
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        ask("other.example")


def certificate(folder, name):
    """A certificate of that name that signs itself."""
    x509 = pytest.importorskip("cryptography.x509", reason="makes the certificate; not a dependency of ours")
    from datetime import UTC, datetime, timedelta

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
