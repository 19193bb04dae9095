"""Where webhooks may go: targets on the server's list, and only to addresses that are not inside,
unless that is allowed.

The list is a setting of the server, not of the admin: who may enter a partner cannot make the server call whatever it
reaches. Names are resolved once, every address is checked, and the connection goes to a checked address, so a name that
answers differently the second time gains nothing. Redirects are never followed.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import httpcore
from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]

_URL = re.compile(r"(https?)://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?(/[!-~]*)?", re.A)
_PORTS = {"http": 80, "https": 443}
# They carry an IPv4 address inside: compatible ones, NAT64, 6to4, Teredo.
_TUNNELS = tuple(
    ipaddress.ip_network(one) for one in ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


class TargetRefused(Exception):
    """Nothing is sent there; the message says why."""


class Target(NamedTuple):
    """An address, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """What the list of the server names."""
        return self.scheme, self.host, self.port


def read(url: str) -> Target:
    """Take an address apart. Raises TargetRefused for one that is not plainly http(s)://host[:port][/path]."""
    found = _URL.fullmatch(url)
    if found is None or "#" in url or "\\" in url or ".." in found[2]:
        raise TargetRefused("Write it as https://host/path, in small letters, without user, blanks or fragment.")
    port = int(found[3]) if found[3] else _PORTS[found[1]]
    if not 0 < port < 65536:
        raise TargetRefused("That port does not exist.")
    return Target(found[1], found[2].strip("[]"), port, found[4] or "/")


def refuse_unlisted(url: str) -> Target:
    """Return the target of an address.

    Raises TargetRefused unless the server's setting lists its scheme, host and port.
    """
    target = read(url)
    if target.origin not in {read(listed).origin for listed in settings.WEBHOOK_TARGETS}:
        raise TargetRefused(f"{target.scheme}://{target.host}:{target.port} is not in the server's WEBHOOK_TARGETS.")
    return target


def refuse_inside(address: str) -> Address:
    """Return an address. Raises TargetRefused for one inside (private, loopback, link-local …) that is not allowed."""
    ip: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if any(ip.version == network.version and ip in network for network in _inside_allowed()):
        return ip
    tunnels = any(ip.version == network.version and ip in network for network in _TUNNELS)
    if not ip.is_global or ip.is_multicast or tunnels:
        raise TargetRefused(f"{ip} is an inside address; the server's WEBHOOK_NETWORKS does not allow it.")
    return ip


def _inside_allowed() -> list[Any]:
    return [ipaddress.ip_network(one) for one in settings.WEBHOOK_NETWORKS]


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class GuardedNetwork(httpcore.NetworkBackend):
    """Connect only to addresses that are allowed: all that a name resolves to are checked, and one of these is used."""

    def __init__(self, resolve: Resolve = resolve) -> None:
        self._resolve = resolve
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} is not known: {error}") from error
        addresses = [refuse_inside(address) for address in found]
        failure: Exception = httpcore.ConnectError(f"{host} has no address.")
        for address in addresses:
            try:
                return self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        raise TargetRefused("Nothing is sent to sockets of this machine.")

    def sleep(self, seconds: float) -> None:
        self._network.sleep(seconds)
