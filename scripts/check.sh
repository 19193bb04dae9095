#!/usr/bin/env bash
# Everything that can be said of the code without running it.
set -euo pipefail
cd "$(dirname "$0")/.."
step() {
    echo "· $1"
    shift
    "$@" || {
        echo "failed: $*" >&2
        exit 1
    }
}
step "lint" .venv/bin/ruff check --quiet .
step "format" .venv/bin/ruff format --quiet --check .
step "floors" .venv/bin/lint-imports --no-cache >/tmp/mes-floors.$$ || { cat /tmp/mes-floors.$$; exit 1; }
rm -f /tmp/mes-floors.$$
step "types" .venv/bin/mypy --no-error-summary .
step "templates" .venv/bin/djlint --quiet --lint templates live screens
step "system checks" .venv/bin/python manage.py check
step "migrations" .venv/bin/python manage.py makemigrations --check --dry-run
