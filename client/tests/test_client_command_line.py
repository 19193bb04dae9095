"""The command line, as a shell script or a service uses it."""

import json
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mes_client import Queue
from mes_client.cli import main
from mes_client.items import count_item

LONG_AGO = datetime(2026, 3, 1, 8, tzinfo=timezone.utc)


@pytest.fixture
def server():
    """Serve what takes each item but those of the tag `unknown`, and knows the key `good`."""
    stored = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            items = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["items"]
            if self.headers["Authorization"] != "Api-Key good":
                return self.respond(401, {"detail": "Send a valid device key."})
            refused = [
                {"index": index, "status": "refused", "field": "tag", "code": "unknown_tag", "message": "Unknown."}
                for index, item in enumerate(items)
                if item.get("tag") == "unknown"
            ]
            stored.extend(item for item in items if item.get("tag") != "unknown")
            accepted = len(items) - len(refused)
            body = {"accepted": accepted, "duplicates": 0, "refused": len(refused), "items": refused}
            return self.respond(207 if refused else 200, body)

        def respond(self, status, body):
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.stored = stored
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def environment(monkeypatch, server, queue_path):
    monkeypatch.setenv("MES_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("MES_KEY", "good")
    monkeypatch.setenv("MES_QUEUE", str(queue_path))
    return monkeypatch


def test_what_is_kept_is_delivered(environment, server, capsys):
    assert main(["count", "L1/good", "12"]) == 0
    assert main(["count", "L1/good", "1.5", "--at", "2026-03-01T08:00:00Z"]) == 0
    assert main(["state", "filler", "fault", "--detail", "Valve 4"]) == 0
    assert main(["state", "--line", "L1", "running"]) == 0
    assert main(["event", "L1/good", "replaced"]) == 0
    assert main(["event", "L1/good", "reset", "7"]) == 0
    assert server.stored == []
    assert main(["drain"]) == 0
    assert "6 accepted, 0 duplicates, 0 refused; 0 wait" in capsys.readouterr().out
    assert [{name: value for name, value in item.items() if name != "at"} for item in server.stored] == [
        {"tag": "L1/good", "value": 12},
        {"tag": "L1/good", "value": 1.5},
        {"machine": "filler", "state": "fault", "detail": "Valve 4"},
        {"line": "L1", "state": "running"},
        {"tag": "L1/good", "event": "replaced"},
        {"tag": "L1/good", "event": "reset", "value": 7},
    ]
    assert server.stored[1]["at"] == "2026-03-01T08:00:00.000000Z"


def test_wrong_key_shows_in_the_exit_codes_and_loses_nothing(environment, server, capsys):
    environment.setenv("MES_KEY", "wrong")
    main(["count", "t", "1"])
    assert main(["status"]) == 0
    assert main(["drain"]) == 1
    assert main(["status"]) == 1
    said = capsys.readouterr().out
    assert "HTTP 401: Send a valid device key." in said
    assert "stuck           yes" in said
    assert main(["drain", "--key", "good"]) == 0
    assert main(["status"]) == 0
    assert "over since" in capsys.readouterr().out
    assert len(server.stored) == 1


def test_status_as_json_names_everything(environment, queue_path, capsys):
    queue = Queue(queue_path)
    queue.put([count_item("t", 1, LONG_AGO)], now=LONG_AGO + timedelta(minutes=1))
    queue.close()
    assert main(["status", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["waiting"], said["oldest_waiting_at"]) == (1, LONG_AGO.isoformat())
    assert (said["is_stuck"], said["needs_person"], said["refused"]) == (True, False, 0)
    assert main(["status", "--stuck-after", "1e8"]) == 0


def test_refused_items_are_listed_until_forgotten(environment, capsys):
    main(["count", "unknown", "1"])
    main(["drain"])
    capsys.readouterr()
    assert main(["refused", "--forget"]) == 0
    assert json.loads(capsys.readouterr().out)["message"] == "Unknown."
    main(["refused"])
    assert capsys.readouterr().out == ""


def test_file_of_items_is_imported(environment, server, tmp_path):
    file = tmp_path / "items.jsonl"
    file.write_text(
        '{"tag": "t", "at": "2026-03-01T08:00:00Z", "value": 1}\n\n'
        '{"machine": "m", "at": "2026-03-01T09:00:00+01:00", "state": "run"}\n'
    )
    assert main(["import", str(file)]) == 0
    assert main(["drain"]) == 0
    assert [item["at"] for item in server.stored] == ["2026-03-01T08:00:00.000000Z"] * 2


def test_bad_line_of_a_file_is_named_and_nothing_is_kept(environment, queue_path, tmp_path, capsys):
    file = tmp_path / "items.jsonl"
    file.write_text('{"tag": "t", "at": "2026-03-01T08:00:00Z", "value": 1}\n{"tag": "t", "value": 1}\n')
    assert main(["import", str(file)]) == 2
    assert "line 2: 'at' is missing" in capsys.readouterr().err
    assert main(["import", str(tmp_path / "nowhere.jsonl")]) == 2
    assert not queue_path.exists()


def test_full_queue_is_an_error(environment, capsys):
    assert main(["count", "t", "1", "--max-items", "1"]) == 0
    assert main(["count", "t", "1", "--max-items", "1"]) == 1
    assert "1 items wait, and 1 are allowed" in capsys.readouterr().err


def test_mistyped_queue_is_not_reported_as_empty(environment, queue_path, capsys):
    assert main(["status"]) == 2
    assert "There is no queue at" in capsys.readouterr().err
    assert not queue_path.exists()


@pytest.mark.parametrize("missing", ["MES_URL", "MES_KEY", "MES_QUEUE"])
def test_missing_setting_is_named(environment, missing, capsys):
    environment.delenv(missing)
    assert main(["drain"]) == 2
    assert missing in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["count", "t"],
        ["count", "t", "many"],
        ["count", "t", "1", "--at", "2026-03-01T08:00:00"],
        ["event", "t", "x"],
    ],
    ids=["nothing", "no value", "no number", "naive time", "no event"],
)
def test_wrong_arguments_are_explained(environment, arguments, capsys):
    with pytest.raises(SystemExit) as exit_code:
        main(arguments)
    assert exit_code.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_value_that_is_no_finite_number_is_refused(environment, capsys):
    assert main(["count", "t", "NaN"]) == 2
    assert "finite" in capsys.readouterr().err
