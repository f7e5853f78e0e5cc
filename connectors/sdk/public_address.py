"""Which network addresses are anybody's to reach, and which are ours alone. One look-up, no connection.

Whoever may name an address for us to fetch from must not be able to have us ask this machine, our own
network or a cloud's metadata service. What stands for another address is judged by that one, or refused.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver: TypeAlias = Callable[[str, int], str]
"""From host and port to the one address, as text, that is connected to. Raises `AddressError`."""

UNICAST: Final = ipaddress.IPv6Network("2000::/3")  # all that is assigned for the public so far
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
NOT_PUBLIC: Final = (
    ipaddress.ip_network("192.0.0.0/24"),  # protocol assignments, RFC 6890
    ipaddress.ip_network("192.88.99.0/24"),  # 6to4 relays, RFC 7526
    ipaddress.ip_network("3fff::/20"),  # documentation, RFC 9637
)


class AddressError(Exception):
    """The host has no address that may be asked. The message names host and reason."""


def public_address(host: str, port: int) -> str:
    """The first address of a host, if each of its addresses is public. Raises `AddressError`.

    Bounded in time by the system's resolver only.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressError(f"{host} does not resolve") from error
    return first_public(host, [str(entry[4][0]) for entry in found])


def first_public(host: str, addresses: Sequence[str]) -> str:
    """One address of ours among public ones is a trick, so it spoils them all. Raises `AddressError`."""
    for text in addresses:
        if not is_public(ipaddress.ip_address(text)):
            raise AddressError(f"{host} is at {text}, which is not a public address")
    if not addresses:
        raise AddressError(f"{host} does not resolve")
    return addresses[0]


def is_public(address: Address) -> bool:
    """Whether the address is a public one of a single host."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in NAT64:
            return _is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in UNICAST or address.teredo is not None:
            return False
        if address.sixtofour is not None:
            return _is_public(address.sixtofour)
    return _is_public(address)


def _is_public(address: Address) -> bool:
    listed = any(address in network for network in NOT_PUBLIC if network.version == address.version)
    return address.is_global and not (address.is_multicast or address.is_reserved or listed)
