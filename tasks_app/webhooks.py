"""Sending a request to an address that somebody else chose.

The address that is connected to is the one that was checked: a name is resolved once, private addresses are refused,
and redirects are not followed. So nobody reaches through this service what only this machine or its network may reach.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

CONNECT_SECONDS = 5.0
DEADLINE_SECONDS = 15.0
"""For all of a request once it is connected, however slowly the other side answers."""
NOT_FOR_OTHERS = [
    ip_network("168.63.129.16"),  # answers only machines within a cloud
    ip_network("192.0.0.0/24"),
    ip_network("192.88.99.0/24"),
    ip_network("fec0::/10"),
]
"""What older versions of Python take for public."""


class AddressRefused(OSError):
    """The name leads to a private address."""


def post(url: str, body: bytes, headers: dict[str, str], *, allow_private: bool) -> int:
    """Send a POST request; the status of its answer.

    Raises:
        AddressRefused: it would go to a private address.
        OSError, http.client.HTTPException: there is no answer, or none that is HTTP.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, parts.port)
    else:
        connection = http.client.HTTPConnection(host, parts.port)
    sock = _connected(host, connection.port, allow_private=allow_private)
    deadline = threading.Timer(DEADLINE_SECONDS, _cut_off, [sock])
    deadline.daemon = True
    deadline.start()
    try:
        if parts.scheme == "https":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        connection.sock = sock
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, headers)
        return connection.getresponse().status
    finally:
        deadline.cancel()
        sock.close()


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether anybody in the world may be there; an address that carries another one is as public as that."""
    if isinstance(address, IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour
        if carried is not None:
            return is_public(carried)
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved or address.is_link_local)
        and not any(address in network for network in NOT_FOR_OTHERS)
    )


def _connected(host: str, port: int, *, allow_private: bool) -> socket.socket:
    failure: OSError = AddressRefused("a private address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if not (allow_private or is_public(ip_address(str(address[0]).partition("%")[0]))):
            continue
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(CONNECT_SECONDS)
            sock.connect(address)
            if not allow_private and sock.getsockname()[0] == sock.getpeername()[0]:
                raise AddressRefused("this very machine")
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


def _cut_off(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
