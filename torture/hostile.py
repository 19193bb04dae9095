"""Send everything that is not meant to be sent, and look at every list afterwards."""

import asyncio
import itertools
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx

from torture.hostile_corpus import BODIES, NOT_JSON, REQUESTS, items
from torture.result import Result
from torture.verification import report, stored_facts
from torture.world import HOST, Cluster, Plant, Server, server_on

CYCLES = SMALL = 1
PATHS = ("/ingest/", "/ingest/count", "/ingest/state")
API_LISTS = (
    *("/oee/count-history", "/downtime/state-history", "/oee/count-tag", "/machine/", "/downtime/state-reason"),
    *("/oee/count-history?limit=1000", "/downtime/state-history?limit=1000"),
)
ADMIN_LISTS = (
    *("/admin/", "/admin/counts/countreading/", "/admin/downtime/recordedstate/", "/admin/ingest/quarantineditem/"),
    *("/admin/ingest/quarantineditem/?q=%3Cscript%3E", "/admin/ingest/quarantineditem/?code__exact=not_finite"),
)
_MOST_PAGES = 400


class _Probe:
    """The good items that travel with the bad ones, and the answers."""

    def __init__(self, plant: Plant) -> None:
        self.machine = next(iter(plant.machines))
        self.tag = f"{self.machine}/delta"
        self.expected: dict[datetime, int] = {}
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self.cases = 0
        self._numbers = itertools.count(1)
        self._begins = datetime.now(UTC).replace(microsecond=0) - timedelta(days=20)

    def good(self, *, is_expected: bool) -> str:
        """Return a good item that was never sent; it must be stored when it is expected."""
        number = next(self._numbers)
        at = self._begins + timedelta(seconds=number)
        if is_expected:
            self.expected[at] = number
        return json.dumps({"tag": self.tag, "at": at.isoformat(), "value": number})

    def fill(self, text: str) -> str:
        """Put the known names into an item."""
        return text.replace("TAG", self.tag).replace("MACHINE", self.machine)

    def note(self, case: str, status: int | None, allowed: tuple[int, ...] = ()) -> None:
        """Keep an answer; None for a connection that was closed without one."""
        self.cases += 1
        self.answers["closed" if status is None else f"{status // 100}xx"] += 1
        if (status or 0) >= 500 or (allowed and status not in allowed):
            self.failures.append(f"{case}: {status}")


async def run(cluster: Cluster, cycles: int) -> Result:
    """Expect no 5xx, every good item stored, and every list readable."""
    result = Result("hostile", cycles)
    plant = cluster.plant("hostile", machines=1)
    probe = _Probe(plant)
    said_before = len(cluster.logged())
    with server_on(cluster) as server:
        async with httpx.AsyncClient(base_url=server.address, headers=plant.sender, timeout=30) as client:
            for _ in range(cycles):
                await _items(client, probe)
                await _bodies(client, probe)
                await _requests(server, plant, probe)
        pages = await _lists(server, plant, probe)
        _, facts = await asyncio.to_thread(stored_facts, cluster, plant)
        await asyncio.to_thread(_report_answers, server, plant)
    stored = {at for (owner, at), _ in facts.items() if owner == probe.tag}
    result.acknowledged = len(probe.expected)
    result.stored = len(stored & probe.expected.keys())
    result.lost = len(probe.expected.keys() - stored)
    result.figures["hostile requests"] = f"{probe.cases:,}"
    result.figures["answers"] = ", ".join(f"{number:,} {kind}" for kind, number in sorted(probe.answers.items()))
    result.figures["answers of 500 or more"] = str(
        sum(n for kind, n in probe.answers.items() if kind >= "5" and kind != "closed")
    )
    result.figures["lists and pages read afterwards"] = f"{pages:,}"
    said = cluster.logged()[said_before:]
    result.figures["tracebacks in the server's log"] = str(said.count("Traceback"))
    ends = Counter(re.findall(r"^Traceback.*\n(?: .*\n)+(\S.*)", said, flags=re.MULTILINE))
    result.broken += [f"The server's log holds {number} × {end[:200]}" for end, number in ends.items()]
    result.broken += probe.failures
    return result


async def _items(client: httpx.AsyncClient, probe: _Probe) -> None:
    """Send each hostile item alone at the small addresses, and beside a good one at the large one."""
    for name, text in items().items():
        item = probe.fill(text)
        is_json = name not in NOT_JSON
        body = f'{{"items": [{item}, {probe.good(is_expected=is_json)}]}}'
        answer = await client.post("/ingest/", content=body.encode())
        probe.note(f"{name}, in a batch", answer.status_code, (200, 207) if is_json else (400,))
        for path in PATHS[1:]:
            answer = await client.post(path, content=item.encode())
            probe.note(f"{name}, at {path}", answer.status_code, (200, 400, 422))


async def _bodies(client: httpx.AsyncClient, probe: _Probe) -> None:
    for name, body in BODIES.items():
        for path in PATHS:
            is_expected = body.is_good and path == "/ingest/"
            good = probe.good(is_expected=is_expected).encode()
            content = probe.fill(body.content.decode("latin-1")).encode("latin-1").replace(b"GOOD", good)
            headers = [(key.encode(), value.encode()) for key, value in body.headers.items()]
            answer = await client.post(path, content=content, headers=headers)
            probe.note(f"body: {name}, at {path}", answer.status_code, (200, 207) if is_expected else (200, 400, 422))


async def _requests(server: Server, plant: Plant, probe: _Probe) -> None:
    """Send raw requests; a connection that is closed without an answer is an answer."""
    for name, text in REQUESTS.items():
        for path in PATHS:
            body = f'{{"items": [{probe.good(is_expected=False)}]}}' if path == "/ingest/" else "{}"
            request = (
                text.replace("KEY", f"Authorization: Api-Key {plant.device_key}\r\n")
                .replace("BODY", body)
                .replace("LENGTH", str(len(body)))
                .replace("PATH", path)
            )
            probe.note(f"request: {name}, at {path}", await _exchange(server, _bytes(request)))


def _bytes(text: str) -> bytes:
    return b"".join(letter.encode("latin-1" if ord(letter) < 256 else "utf-8") for letter in text)


async def _exchange(server: Server, request: bytes) -> int | None:
    """Return the status of the answer; None when the connection is closed, or silent because it waits for more."""
    reader, writer = await asyncio.open_connection(HOST, server.port)
    try:
        async with asyncio.timeout(3):
            writer.write(request)
            # A request that is shorter than it said ends here. (OSError: the server has closed before that.)
            writer.write_eof()
            line = await reader.readline()
            while line.startswith(b"HTTP/1.1 100"):
                await reader.readuntil(b"\r\n")
                line = await reader.readline()
            return int(line.split()[1]) if line.startswith(b"HTTP/") else None
    except (OSError, asyncio.IncompleteReadError):
        return None
    finally:
        writer.close()


async def _lists(server: Server, plant: Plant, probe: _Probe) -> int:
    """Read every list that shows facts or refused items, and the page of each refused item."""
    paths = [*API_LISTS, *ADMIN_LISTS]
    async with httpx.AsyncClient(base_url=server.address, timeout=60) as browser:
        cookies = {"Cookie": f"sessionid={plant.session}"}
        read = 0
        for number in range(1, 100):
            page = await browser.get(f"/admin/ingest/quarantineditem/?p={number}", headers=cookies)
            found = sorted(set(_links(page.text)) - set(paths))
            if not found or len(paths) > _MOST_PAGES:
                break
            paths += found
        for path in paths:
            headers = cookies if path.startswith("/admin/") else plant.reader
            answer = await browser.get(path, headers=headers)
            read += 1
            if answer.status_code != 200:
                probe.failures.append(f"{path} answers {answer.status_code} afterwards.")
    return read


def _links(page: str) -> list[str]:
    return [
        f"/admin/ingest/quarantineditem/{part.split('/', 1)[0]}/change/"
        for part in page.split("/admin/ingest/quarantineditem/")[1:]
        if part.split("/", 1)[0].isdigit()
    ]


def _report_answers(server: Server, plant: Plant) -> None:
    now = datetime.now(UTC)
    for machine_id in plant.machines.values():
        report(server, plant, machine_id, now - timedelta(days=30), now)
