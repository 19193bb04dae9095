"""A real OPC UA server for tests, in this process: a filler with a counter and a state."""

from datetime import UTC, datetime

from asyncua import Server, ua
from asyncua.crypto.permission_rules import User, UserRole

LINE = "http://acme.com/line"


class OnePerson:
    """Lets one person in."""

    def get_user(self, iserver, username=None, password=None, certificate=None):
        if password is not None and not isinstance(password, str):
            password = password.decode()
        return User(role=UserRole.User) if (username, password) == ("mes", "secret") else None


class Plant:
    """A server with the objects Line/Filler/{Good,State,Mode}; `before` are namespaces registered before its own.

    Started again after its end, it is a new server at the same address.
    """

    def __init__(self, port, *, before=(), nodesets=(), only_person=False, keys=None):
        self.port = port
        self.before, self._nodesets, self._only_person = before, nodesets, only_person
        self._keys = keys

    @property
    def address(self):
        return f"opc.tcp://127.0.0.1:{self.port}"

    async def start(self, *, state=0, since=None):
        self.server = Server(user_manager=OnePerson() if self._only_person else None)
        await self.server.init()
        self.server.set_endpoint(self.address)
        self.server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        if self._keys:
            # Only the secured ways in, with this certificate and key.
            certificate, key = self._keys
            await self.server.load_certificate(certificate)
            await self.server.load_private_key(key)
            policies = ua.SecurityPolicyType
            self.server.set_security_policy([policies.Basic256Sha256_Sign, policies.Basic256Sha256_SignAndEncrypt])
        if self._only_person:
            self.server.set_identity_tokens([ua.UserNameIdentityToken])
        for uri in self.before:
            await self.server.register_namespace(uri)
        for path in self._nodesets:
            await self.server.import_xml(path)
        self.index = await self.server.register_namespace(LINE)
        line = await self.server.nodes.objects.add_object(ua.NodeId("Line", self.index), f"{self.index}:Line")
        self.filler = await line.add_object(ua.NodeId("Filler", self.index), f"{self.index}:Filler")
        self.good = await self.variable("Good", 0, ua.VariantType.UInt64)
        self.state = await self.variable("State", 0, ua.VariantType.Int32)
        self.mode = await self.variable("Mode", ua.LocalizedText("Auto"), ua.VariantType.LocalizedText)
        if since is not None:
            await self.write(self.state, state, SourceTimestamp=since)
        await self.server.start()

    async def variable(self, name, value, kind):
        node_id = ua.NodeId(f"Filler.{name}", self.index)
        return await self.filler.add_variable(node_id, f"{self.index}:{name}", value, kind)

    async def write(self, node, value, kind=None, **parts):
        """Write a value as a device does: with the moment of its source and its quality."""
        kind = kind or {self.good: ua.VariantType.UInt64, self.state: ua.VariantType.Int32}[node]
        data = ua.DataValue(
            ua.Variant(value, kind),
            **{"SourceTimestamp": datetime.now(UTC), "ServerTimestamp": datetime.now(UTC), **parts},
        )
        await self.server.write_attribute_value(node.nodeid, data)

    async def shut(self):
        await self.server.stop()

    async def vanish(self):
        """Drop every connection, as when the cable is cut, and be gone."""
        for transport in [client.transport for client in list(self.server.bserver.clients)]:
            transport.abort()
        await self.shut()
