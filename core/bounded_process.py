"""The process that reads somebody's file: `python -I bounded_process.py <script>`; bytes in, bytes out. Plain Python.

The script is a file with `MEMORY` (bytes) and `read(content) -> bytes`; it knows nothing of the project. It is loaded
with all that it imports, then the process gets its bounds, then the file is read. It may die of them.
"""

import resource
import runpy
import signal
import sys

CPU_SECONDS = 1.5
"""Of processor time, so that a busy machine refuses nobody's file."""


def bound(memory: int) -> None:
    """Give this process its bounds: so many bytes beyond what it is made of, 1.5 s of processor time, no core file."""
    with open("/proc/self/statm") as told:
        made_of = int(told.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (made_of + memory, made_of + memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Its signal ends the process, also within a library's loop.
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)


if __name__ == "__main__":
    script = runpy.run_path(sys.argv[1])
    bound(script["MEMORY"])
    sys.stdout.buffer.write(script["read"](sys.stdin.buffer.read()))
