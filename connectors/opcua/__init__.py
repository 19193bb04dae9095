"""OPC UA: subscriptions to the nodes of a server."""
