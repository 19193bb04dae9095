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
# Say nothing unless it fails.
quietly() {
    local said
    said=$("$@" 2>&1) || {
        echo "$said"
        return 1
    }
}
# Types take as long as all the rest, which runs beside them.
step "types" .venv/bin/mypy --no-error-summary . &
types=$!
trap 'kill $types 2>/dev/null || true' EXIT
step "lint" .venv/bin/ruff check --quiet .
step "format" .venv/bin/ruff format --quiet --check .
step "floors" quietly env PYTHONPATH=client/src .venv/bin/lint-imports --no-cache
step "templates" .venv/bin/djlint --quiet --lint templates live screens reports erp simulator
step "system checks" quietly .venv/bin/python manage.py check
step "migrations" quietly .venv/bin/python manage.py makemigrations --check --dry-run
wait $types
