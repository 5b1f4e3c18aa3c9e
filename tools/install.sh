# Brings a virtual environment to exactly what a lock says, and does nothing where it is so already.
#
#   sh tools/install.sh VENV runtime|dev|bench|locking [PYTHON]
#
# A lock names every package there is to install, so pip is to resolve nothing: the pip of Python 3.11 and 3.12 would
# look for extras in the index, find releases newer than the lock, and refuse them for want of a hash. That the lock is
# complete is checked afterwards.
#
# VENV/made says which Python it was made with and where, VENV/*.lock are copies of the locks it was made from. They are
# written last. An environment of another Python or another lock, moved, or left half way is made anew: nothing stays in
# it that the lock does not name.
set -eu
venv=$1
part=$2
wanted=${3-}

fail() {
  echo "$1" >&2
  exit 1
}

lock_of() {
  if [ "$1" = runtime ]; then echo requirements.lock; else echo "requirements-$1.lock"; fi
}

# Which Python something is, to the very build; nothing if it is none that runs.
build_of() {
  "$1" -c 'import sys; print(" ".join(sys.version.split()))' 2>/dev/null || true
}

is_sound() {
  [ -f "$venv/made" ] && [ "$(cat "$venv/made")" = "$(build_of "$venv/bin/python") in $(cd "$venv" && pwd -P)" ]
}

is_of_wanted() {
  [ -z "$wanted" ] || [ "$(build_of "$wanted")" = "$(build_of "$venv/bin/python")" ]
}

holds() {
  cmp -s "$venv/$1.lock" "$(lock_of "$1")"
}

make_anew() {
  python=$wanted
  # Unless one is named, it stays with the Python that it has.
  if [ -z "$python" ] && is_sound; then python=$("$venv/bin/python" -c 'import sys; print(sys._base_executable)'); fi
  python=${python:-python3}
  command -v "$python" >/dev/null || fail "There is no $python here. Python 3.11 or newer is needed: make PYTHON=python3.11"
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
    fail "$python does not start. Python 3.11 or newer is needed: make PYTHON=python3.11"
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$python is Python $version. Python 3.11 or newer is needed: make PYTHON=python3.11"
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "Python $version came without its venv module. On Debian and Ubuntu: apt install python$version-venv"
  if [ -e "$venv" ] && [ ! -f "$venv/pyvenv.cfg" ] && [ -n "$(ls -A "$venv")" ]; then
    fail "$venv holds something else than a virtual environment, and stays as it is. Name another: make VENV=.venv-2"
  fi
  echo "Making $venv with Python $version…"
  "$python" -m venv --clear "$venv"
  echo "$(build_of "$venv/bin/python") in $(cd "$venv" && pwd -P)" >"$venv/made"
}

install() {
  lock=$(lock_of "$part")
  case $part in
    runtime) echo "Installing what the bot needs (once)…" ;;
    dev) echo "Installing what the tests need (once)…" ;;
    bench) echo "Installing the bots that ours is measured beside (once)…" ;;
    *) echo "Installing what locks are made with (once)…" ;;
  esac
  rm -f "$venv"/*.lock
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock"
  missing=$("$venv/bin/python" -m pip --disable-pip-version-check check) || fail "$lock is not complete: $missing"
  if [ "$part" = dev ]; then cp "$(lock_of runtime)" "$venv/runtime.lock"; fi
  cp "$lock" "$venv/$part.lock"
}

# The tests run on top of the bot: they need what it needs.
base=$part
if [ "$part" = dev ]; then base=runtime; fi
if is_sound && is_of_wanted && holds "$base"; then
  if holds "$part"; then exit 0; fi
  if [ ! -e "$venv/$part.lock" ]; then
    install
    exit 0
  fi
fi
make_anew
install
