"""The embedded server: started from nothing, found again, stopped; safe for everybody at once."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path_factory):
    # As root the server runs as another user, who must be able to get there.
    directory = Path("/var/lib/mes" if os.geteuid() == 0 else tmp_path_factory.mktemp("mes")) / f"test-{os.getpid()}"
    yield directory
    run(directory, "stop")
    subprocess.run(["rm", "-rf", str(directory)], check=True)


def run(home: Path, action: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "core.embedded_postgres", action],
        cwd=PROJECT,
        env={**os.environ, "MES_DATA_DIR": str(home), "DATABASE_NAME": "trial"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_server_is_started_by_whoever_comes_first_and_found_by_the_others(home):
    starters = [
        subprocess.Popen(
            [sys.executable, "-m", "core.embedded_postgres", "start"],
            cwd=PROJECT,
            env={**os.environ, "MES_DATA_DIR": str(home), "DATABASE_NAME": "trial"},
        )
        for _ in range(3)
    ]
    assert [starter.wait(timeout=60) for starter in starters] == [0, 0, 0]
    assert run(home, "status") == "running"
    with psycopg.connect(run(home, "url")) as connection:
        row = connection.execute("SELECT current_database(), current_setting('listen_addresses')").fetchone()
        assert row == ("trial", "")
    assert oct((home / "socket").stat().st_mode)[-3:] == "700"
    run(home, "stop")
    assert run(home, "status") == "stopped"
    run(home, "start")
    assert run(home, "status") == "running"
