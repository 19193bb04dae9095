#!/usr/bin/env bash
# Migrate, then serve on PORT (8000) until stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python manage.py migrate --verbosity 0
.venv/bin/python manage.py collectstatic --noinput --verbosity 0
exec .venv/bin/honcho --no-colour start web keeper
