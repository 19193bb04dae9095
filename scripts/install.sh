#!/usr/bin/env bash
# Install pinned requirements into .venv, which is made when it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed; $("$python" --version) was found." >&2
    exit 1
}
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo "· making a virtual environment in .venv"
    rm -rf .venv
    if ! "$python" -m venv .venv >/dev/null 2>&1; then
        # Debian and Ubuntu keep venv in a package of its own.
        scripts/system_packages.sh python3-venv
        rm -rf .venv
        "$python" -m venv .venv
    fi
fi
for requirements in "$@"; do
    echo "· installing $requirements ($(grep -c '^[a-z]' "$requirements") packages)"
    how=()
    case $requirements in
        # Whose own pins are narrower than what it works with.
        requirements-no-deps.txt) how=(--no-deps) ;;
        # Programs that tests talk to, with the old versions they ask for: apart from ours.
        requirements-peers.txt) how=(--no-deps --target .venv/peers --upgrade) ;;
    esac
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes "${how[@]}" -r "$requirements"
done
# The devices' client is a package of its own, used from the tree: a path file needs no build, and nothing to download.
# The path is relative to site-packages, so it holds wherever the tree is moved or linked to.
site_packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
.venv/bin/python -c 'import os, sys; print(os.path.relpath("client/src", sys.argv[1]))' "$site_packages" \
    >"$site_packages/mes_client.pth"
