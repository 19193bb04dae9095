"""Prove, on a real server and a database that may be killed, that what was acknowledged is there, once.

    python -m torture [scenario ...] [--cycles N] [--small]

Each scenario is a module with one function, `run`. It does something unkind to the system while devices send, and
compares what they were told with what the tables hold.
"""
