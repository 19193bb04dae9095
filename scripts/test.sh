#!/usr/bin/env bash
# Run every test on the real thing: PostgreSQL (embedded, or DATABASE_URL), Redis, a real browser.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v chromium >/dev/null || scripts/system_packages.sh chromium
command -v redis-server >/dev/null || scripts/system_packages.sh redis-server
[ -x /usr/sbin/mosquitto ] || command -v mosquitto >/dev/null || scripts/system_packages.sh mosquitto

# The database that all tests copy, and the tests as they are compiled, are made beside the checks.
{
    .venv/bin/python -m tests.template_database
    .venv/bin/pytest --quiet --collect-only >/dev/null || true
} &
beside=$!
trap 'kill $beside 2>/dev/null || true' EXIT
scripts/check.sh
wait $beside

# A Redis of our own, on a socket in a directory of its own: no port, nobody else's data.
directory=$(mktemp -d)
redis-server --port 0 --unixsocket "$directory/redis" --dir "$directory" --save '' --daemonize no >"$directory/log" 2>&1 &
redis=$!
trap 'kill $redis 2>/dev/null || true; wait $redis 2>/dev/null || true; rm -rf "$directory"' EXIT
export MES_TEST_REDIS_URL="unix://$directory/redis"

# Tests wait for servers, browsers and disks; one process more than there are processors uses that time.
processes=${MES_TEST_PROCESSES:-$(($(nproc) + 1))}

echo "· tests"
.venv/bin/pytest --quiet --numprocesses "$processes" --dist worksteal "$@"
