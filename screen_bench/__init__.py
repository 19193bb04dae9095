"""Measures the pages of a plant with a long history: on the server, in a browser, over sockets, and after a day."""
