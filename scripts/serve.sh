#!/usr/bin/env bash
# Migrate, then serve on PORT (8000) of HOST (127.0.0.1) until stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python manage.py migrate --verbosity 0
.venv/bin/python manage.py collectstatic --noinput --verbosity 0
# The process manager gives each process a PORT of its own, so ours travels under another name.
export MES_PORT=${PORT:-8000} MES_HOST=${HOST:-127.0.0.1}
exec .venv/bin/honcho --no-colour start web keeper connectors worker
