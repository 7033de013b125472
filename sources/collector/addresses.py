"""A client's address as far as the policy lets it be kept."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

IPV4_BITS, IPV6_BITS = 24, 48  # what is kept of an address: a neighbourhood, not a household


@lru_cache(4096)
def kept(address: str, policy: str) -> str | None:
    """Return the address, its network, or nothing; what isn't an address is never kept unless all is."""
    if policy == "keep":
        return address
    if policy == "drop":
        return None
    try:
        parsed = ip_address(address.strip().strip("[]").split("%")[0])
    except ValueError:
        return None
    if parsed.version == 6 and parsed.ipv4_mapped:  # noqa: PLR2004 - the version of the protocol
        parsed = parsed.ipv4_mapped
    if parsed.version == 4:  # noqa: PLR2004 - as above
        return str(IPv4Network((int(parsed), IPV4_BITS), strict=False).network_address)
    return str(IPv6Network((int(parsed), IPV6_BITS), strict=False).network_address)


def client_address(peer: str | None, forwarded: bytes | None, trusted_proxies: int) -> str | None:
    """Who sent it: the socket, or what the outermost of our own proxies saw; clients write what is further left."""
    if not trusted_proxies or not forwarded:
        return peer
    hops = forwarded.decode("latin-1").split(",")
    return hops[max(0, len(hops) - trusted_proxies)].strip()
