"""MTConnect: agents asked over HTTP, and adapters that send SHDR lines."""
