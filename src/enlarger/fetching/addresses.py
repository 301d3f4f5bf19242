"""Which addresses are the public internet. Everything else may be a machine that trusts ours."""

from __future__ import annotations

import ipaddress

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Well-known prefix (RFC 6052): the last 32 bits are an IPv4 address that a translator connects to."""
REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "100.64.0.0/10",  # carriers' own (RFC 6598)
        "168.63.129.16/32",  # the host of Azure's machines, which answers them alone
        "192.0.0.0/24",  # protocol assignments (RFC 6890), of which some Pythons take a part for public
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "64:ff9b:1::/48",  # translators' own (RFC 8215)
        "2001::/23",  # protocol assignments, Teredo among them (RFC 2928)
        "3fff::/20",  # documentation (RFC 9637)
        "5f00::/16",  # segment routing (RFC 9602)
        "fec0::/10",  # site-local, which old hosts still route (RFC 3879)
    )
)
"""Beyond what `is_global` refuses in every supported Python."""


def is_public(address: IPAddress) -> bool:
    """Whether a machine at this address belongs to the public internet, also by any IPv4 inside it."""
    inner = _inner(address)
    if inner is not None:
        return is_public(inner)
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in REFUSED if network.version == address.version)
    )


def _inner(address: IPAddress) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4, or behind a translator."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
