"""What a signal names: a node by its id, or by the browse path that leads to it. No network.

    ns=2;s=Filler.Good          an id with a namespace index, as servers show it
    i=2258                      an id of the OPC UA namespace
    nsu=http://acme.com/line;s=Filler.Good    an id with the namespace's URI, which stays when indices move
    /Objects/2:Line/2:Good      a browse path from the root
    /Objects/nsu=http://acme.com/line;Line/nsu=http://acme.com/line;Good    the same with URIs

In a browse path `&` takes the meaning from the character that follows it, as in OPC UA Part 4, A.2; names with a URI
are written as in Part 6, 5.1.14.
"""

import re
from collections.abc import Sequence

from asyncua import ua

_INDEXED = re.compile(r"(\d+):")
_IDENTIFIER = re.compile(r"[isgb]=.", re.DOTALL)


class SignalError(Exception):
    """A signal names no node; the message says why."""


Path = tuple[ua.QualifiedName, ...]


def parse(signal: str, namespaces: Sequence[str]) -> ua.NodeId | Path:
    """Return the id or the browse path that a signal is on a server with these namespaces. Raises SignalError."""
    written = signal.strip()
    if written.startswith("/"):
        return _path(written, namespaces)
    index = None
    if written.startswith("nsu="):
        uri, _, written = written.removeprefix("nsu=").partition(";")
        index = _index(uri, namespaces)
    elif written.startswith("ns="):
        number, _, written = written.removeprefix("ns=").partition(";")
        if not number.isdecimal() or int(number) > 65_535:
            raise SignalError(f"'{signal}': '{number}' is no namespace index.")
        index = int(number)
    if not _IDENTIFIER.match(written):
        raise SignalError(f"'{signal}' is no node: write ns=2;s=Name, nsu=http://…;s=Name, i=2258 or /Objects/2:Name.")
    try:
        return ua.NodeId.from_string(f"ns={index or 0};{written}")
    except (ua.UaError, ValueError) as error:
        raise SignalError(f"'{signal}' is no node id: {error}") from error


def relative_path(path: Path) -> ua.RelativePath:
    """Return a browse path as servers take it: along hierarchical references of any kind."""
    hierarchical = ua.NodeId(ua.ObjectIds.HierarchicalReferences)
    return ua.RelativePath(
        [
            ua.RelativePathElement(ReferenceTypeId=hierarchical, IsInverse=False, IncludeSubtypes=True, TargetName=name)
            for name in path
        ]
    )


def with_uri(node_id: ua.NodeId, namespaces: Sequence[str]) -> str:
    """Return a node id with the URI of its namespace, as state maps write it; indices move, URIs stay."""
    plain = ua.NodeId(node_id.Identifier, 0, node_id.NodeIdType).to_string()
    uri = getattr(node_id, "NamespaceUri", None)
    if not uri and 0 < node_id.NamespaceIndex < len(namespaces):
        uri = namespaces[node_id.NamespaceIndex]
    if uri:
        return f"nsu={_escaped(uri)};{plain}"
    return f"ns={node_id.NamespaceIndex};{plain}" if node_id.NamespaceIndex else plain


def _path(written: str, namespaces: Sequence[str]) -> Path:
    names = []
    rest = written
    while rest:
        rest, index = rest.removeprefix("/"), 0
        if rest.startswith("nsu="):
            uri, _, rest = rest.removeprefix("nsu=").partition(";")
            index = _index(uri, namespaces)
        elif indexed := _INDEXED.match(rest):
            index, rest = int(indexed[1]), rest[indexed.end() :]
        name, rest = _name(rest)
        if not name:
            raise SignalError(f"'{written}': a name of the browse path is empty.")
        names.append(ua.QualifiedName(name, index))
    return tuple(names)


def _name(written: str) -> tuple[str, str]:
    """Return the name that a path goes on with, and what follows it."""
    name, position = "", 0
    while position < len(written) and written[position] != "/":
        position += written[position] == "&"
        name += written[position : position + 1]
        position += 1
    return name, written[position:]


def _index(uri: str, namespaces: Sequence[str]) -> int:
    uri = uri.replace("%3B", ";").replace("%25", "%")
    try:
        return list(namespaces).index(uri)
    except ValueError:
        raise SignalError(f"The server has no namespace '{uri}'.") from None


def _escaped(uri: str) -> str:
    return uri.replace("%", "%25").replace(";", "%3B")
