#!/usr/bin/env bash
# From an installed environment to a running plant on a live screen.
set -euo pipefail
cd "$(dirname "$0")/.."
export MES_DEMO_STARTED_AT=${MES_DEMO_STARTED_AT:-$(date +%s)}
PORT=${PORT:-8000}
# The process manager gives each process a PORT of its own, so ours travels under another name.
export MES_PORT=$PORT

echo "· preparing the database"
.venv/bin/python manage.py migrate --verbosity 0
.venv/bin/python manage.py collectstatic --noinput --verbosity 0
.venv/bin/python manage.py create_demo --url "http://localhost:$PORT"
# A second plant beside it: battery packs as serial units, or a machining job shop that lives by itself.
processes=(web keeper connectors worker devices)
case "${PLANT:-}" in
"" | vistula) ;;
battery) .venv/bin/python manage.py create_demo --plant battery --url "http://localhost:$PORT" ;;
machining)
    .venv/bin/python manage.py create_demo --plant machining --url "http://localhost:$PORT"
    processes+=(shop)
    ;;
*)
    echo "There is no plant '$PLANT'; PLANT is battery or machining." >&2
    exit 2
    ;;
esac
echo "· starting the server, the keeper of computed hours, the connectors, the worker and the simulated devices; Ctrl-C stops them"
.venv/bin/python manage.py await_first_oee --url "http://localhost:$PORT" &
exec .venv/bin/honcho start "${processes[@]}"
