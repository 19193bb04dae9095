"""Import the system once and fork servers on demand: `start` and `kill` come as lines, a process id goes back.

The fork is taken before anything has opened a connection, a thread or an event loop, so a forked server does what a
freshly started one does from there on. The servers share nothing that outlives a SIGKILL.
"""

import importlib
import os
import signal
import sys


def main(arguments: list[str]) -> None:
    """Obey until there are no more orders; a server that still runs is killed then."""
    importlib.import_module("mes_project.asgi")
    from uvicorn.main import main as uvicorn

    child = 0
    for line in sys.stdin:
        match line.strip():
            case "start":
                child = os.fork()
                if child == 0:
                    null = os.open(os.devnull, os.O_RDWR)
                    os.dup2(null, 0)
                    os.dup2(null, 1)
                    uvicorn(arguments)
                    os._exit(0)
            case "kill":
                _kill(child)
        print(child, flush=True)
    _kill(child)


def _kill(child: int) -> None:
    if child:
        try:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


if __name__ == "__main__":
    main(sys.argv[1:])
