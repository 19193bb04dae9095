"""An edge node by an independent library, as a program of its own: `edge_node.py PORT GROUP NODE`.

It has its own, older requirements, which `scripts/install.sh` puts apart, and puts `DATA/` before the names in its
births only. Lines of standard input are commands:
`set NAME VALUE`, `send`, `quit` (a proper death) and, to stand for a crash, the end of the process.
"""

import sys

from mqtt_spb_wrapper import MqttSpbEntityEdgeNode


def main() -> None:
    """Connect, be born, and obey."""
    port, group, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    node = MqttSpbEntityEdgeNode(group, name, include_spb_rebirth=False)
    node.data.set_value("Counts/Good", 0)
    node.data.set_value("State", 2)

    def on_message(topic, payload):
        if topic.message_type == "NCMD" and any(m["name"] == "Node Control/Rebirth" for m in payload["metrics"]):
            node.publish_birth()
            print("reborn", flush=True)

    node.on_message = on_message
    if not node.connect("127.0.0.1", port):
        sys.exit("no broker")
    node.publish_birth()
    print("born", flush=True)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "set":
            node.data.set_value(rest[0], int(rest[1]))
        elif word == "send":
            node.publish_data()
        elif word == "quit":
            node.disconnect()
            return
        print("done", flush=True)


if __name__ == "__main__":
    main()
