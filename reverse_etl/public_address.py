"""Where a request may go: to public addresses, resolved once; what was checked is what is connected to.

An address somebody else chose must not reach what only this machine can reach: its own services, the private
network, the cloud's metadata. CDP_PRIVATE_NETWORKS (`127.0.0.0/8,10.1.0.0/16`) allows networks in spite of that.
"""

import ipaddress
import os
import socket
from collections.abc import Callable, Sequence

import httpx

from reverse_etl.destination import DestinationRefused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

ALLOWED = "CDP_PRIVATE_NETWORKS"


def _networks(*words: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(word) for word in words)


# Metadata of clouds hands out credentials: no setting allows it. Azure's and Oracle's look public to `ipaddress`.
NEVER_V4 = _networks("0.0.0.0/8", "169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.0/24")
NEVER = (*NEVER_V4, *_networks("fe80::/10", "fd00:ec2::/32"))
# Benchmarks, relays of 6to4, Teredo and documentation, which not every Python calls private.
NOT_PUBLIC = _networks("198.18.0.0/15", "192.88.99.0/24", "2002::/16", "2001::/23", "2001:db8::/32", "3fff::/20")
PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")  # all there is; NAT64 and addresses of IPv4 in disguise lie outside


class AddressRefused(DestinationRefused):
    """The host's address is none a destination may have."""


def system(host: str, port: int) -> list[str]:
    """Ask the system's resolver; it also reads 127.1, 0x7f000001 and 2130706433."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def allowed_networks() -> tuple[Network, ...]:
    """Read the private networks that this installation allows."""
    words = os.environ.get(ALLOWED, "").replace(",", " ").split()
    try:
        return _networks(*words)
    except ValueError as error:
        raise DestinationRefused(f"{ALLOWED} must be networks like 10.1.0.0/16, with commas between") from error


def is_reachable(text: str, allowed: Sequence[Network] = ()) -> bool:
    """Whether requests may go to this address: it is public, or in an allowed network."""
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in NEVER):
        return False
    if any(address in network for network in allowed):
        return True
    if address.is_multicast or address.is_reserved or any(address in network for network in NOT_PUBLIC):
        return False
    return address.is_global and (address.version == 4 or address in PUBLIC_V6)  # noqa: PLR2004


def checked_addresses(host: str, port: int, resolve: Resolve = system) -> list[str]:
    """Resolve a host; one address of it that is not reachable refuses all, else a name with two would be a way in."""
    found = list(resolve(host, port))
    if not found or not all(is_reachable(text, allowed_networks()) for text in found):
        raise AddressRefused(f"{host} is not a public address: if that is meant, add its network to {ALLOWED}")
    return found


class PinnedTransport(httpx.BaseTransport):
    """Connects to one host, at the addresses that were checked when it was made."""

    def __init__(self, inner: httpx.BaseTransport, address: str, resolve: Resolve = system) -> None:
        url = httpx.URL(address)
        self._inner, self._host = inner, url.host
        try:
            self._addresses = checked_addresses(url.host, url.port or (443 if url.scheme == "https" else 80), resolve)
        except OSError:
            self._addresses = []  # no such name today: that is not being reached, and is tried again by the next run

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != self._host:
            raise httpx.ConnectError("another host than the one that was checked", request=request)
        # The certificate must be the name's, not the address's.
        request.extensions = {**request.extensions, "sni_hostname": self._host}
        named, failed = request.url, httpx.ConnectError("no such name", request=request)
        for address in self._addresses:
            request.url = named.copy_with(host=address)
            try:
                return self._inner.handle_request(request)
            except httpx.ConnectError as error:
                failed = error
        raise failed

    def close(self) -> None:
        self._inner.close()
