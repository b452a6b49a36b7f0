#!/bin/sh
# Installs cxrtool as on a machine that has never seen it, and works through a chain without a network.
#
#   sh tests/fresh_machine.sh light                 PyTorch missing: what works, what says so
#   sh tests/fresh_machine.sh wheel sdist           by pip, uv and pipx
#   sh tests/fresh_machine.sh container apptainer   as root, with buildah and debootstrap
#
# Ends with 77 where something that it needs is missing. TORCH is that of the Dockerfile. KEEP=1 keeps
# the image. A container needs 25 GB of disk, another way 8 GB, all below TMPDIR or in buildah's store.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/fresh.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 143' INT TERM
cd "$work"
base=localhost/cxrtool-fresh-base
image=localhost/cxrtool-fresh
# What must be there has its own paths; nothing of the caller's Python comes along.
unset PYTHONPATH VIRTUAL_ENV
export UV_CACHE_DIR="$work/cache" UV_TOOL_DIR="$work/tools-uv" PIPX_HOME="$work/pipx"
export PIPX_BIN_DIR="$work/bin" XDG_CACHE_HOME="$work/cache" MPLCONFIGDIR="$work/cache"

skip() { echo "skipped: $*" >&2; exit 77; }
need() { for program; do command -v "$program" >/dev/null || skip "install $program"; done; }
# Without a network where the system lets us; root needs no new user for that.
offline() {
    if unshare -n true 2>/dev/null; then unshare -n "$@"
    elif unshare -rn true 2>/dev/null; then unshare -rn "$@"
    else "$@"; fi
}

cat >light.sh <<'END'
set -eu
cxrtool --version
cxrtool phantom 40 --size 64 --sources 2 -d phantoms -o phantoms.csv -q
cxrtool ingest phantoms.csv -o listed.csv -q
cxrtool equalize listed.csv -d equal -o equal.csv -q
cxrtool split listed.csv --test 0.4 --val 0.2 -o split.csv -q
END
# The whole chain, with weights that lie inside the installation.
cat light.sh - >chain.sh <<'END'
cxrtool segment listed.csv --model lungs --keep mask -d lungs -o lungs.csv -q
cxrtool train split.csv --arch efficientnet-lite0 --weights imagenet --size 64 --epochs 1 -d run -q
cxrtool evaluate run split.csv --where split=test -o predictions.csv -q
cxrtool compare predictions.csv -o table.md -q
cxrtool audit split.csv predictions.csv --run run --positive covid -d audit --fail-on none -q
test -s audit/audit.html
echo "the chain has worked"
END

tools() { # a virtual environment with the installers
    [ -d tools ] && return
    need python3
    python3 -m venv tools || skip "install the venv of python3"
    tools/bin/pip install -q build uv pipx || skip "no package index is reached"
    mkdir source && (cd "$here" && tar -c --exclude __pycache__ -f - pyproject.toml README.md \
        LICENSE cxrtool man completions) | tar -x -f - -C source
    tools/bin/python -m build -o dist source >build.log || { cat build.log >&2; exit 1; }
}

tried() { # FOLDER SCRIPT: run the script with the commands of the folder first
    rm -rf try && mkdir try
    (cd try && PATH="$1:$PATH" && export PATH && offline sh "../$2")
}

shared() { # PREFIX: man pages and completions are where the system looks for them
    test -s "$1/share/man/man1/cxrtool-audit.1" && test -s "$1/share/man/man7/cxrtool-installing.7"
    test -s "$1/share/bash-completion/completions/cxrtool.bash"
}

installers() { # FILE: by pip with the whole chain, by uv and by pipx as far as the version
    python3 -m venv env
    env/bin/pip install -q "$1[imagenet]"
    shared env
    tried "$work/env/bin" chain.sh
    rm -rf env try
    (cd / && "$work/tools/bin/uv" tool run -q --from "$1" cxrtool --version)
    rm -rf "$UV_TOOL_DIR" cache
    (cd / && "$work/tools/bin/pipx" install "$1" >/dev/null)
    "$PIPX_BIN_DIR/cxrtool" --version
    rm -rf "$PIPX_HOME" "$PIPX_BIN_DIR" cache
}

light() { # all dependencies but PyTorch and what is built on it
    tools
    python3 -m venv env
    env/bin/python - "$here/pyproject.toml" >light.txt <<'END'
import sys, tomllib
for line in tomllib.load(open(sys.argv[1], "rb"))["project"]["dependencies"]:
    if not line.startswith(("torch", "timm")):
        print(line)
END
    env/bin/pip install -q -r light.txt
    env/bin/pip install -q --no-deps "$(ls "$work"/dist/*.whl)"
    cp light.sh more.sh
    cat >>more.sh <<'END'
python - <<'PY'
import csv
rows = [row for row in csv.DictReader(open("split.csv")) if row["split"] == "test"]
classes = sorted({row["label"] for row in rows})
with open("predictions.csv", "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(["path", "label", "patient", *(f"p_{name}" for name in classes)])
    for row in rows:
        values = [0.6 if row["label"] == name else 0.4 / (len(classes) - 1) for name in classes]
        out.writerow([row["path"], row["label"], row["patient"], *values])
PY
cxrtool compare predictions.csv -o table.md -q
cxrtool audit split.csv predictions.csv --positive covid -d audit --fail-on none -q
test -s audit/audit.html
for line in "train split.csv -d run" "segment listed.csv --keep mask -d lungs -o lungs.csv"; do
    code=0
    # shellcheck disable=SC2086
    cxrtool $line 2>said || code=$?
    cat said
    test $code = 2 && grep -q "Install it: pip install torch torchvision" said
done
echo "what needs no PyTorch has worked"
END
    tried "$work/env/bin" more.sh
    rm -rf env try
}

base_image() { # Debian with Python, since a registry of images need not be reached
    need buildah debootstrap unshare
    [ "$(id -u)" = 0 ] || skip "a container is built as root"
    buildah inspect "$base" >/dev/null 2>&1 && return
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm root \
        >debootstrap.log 2>&1 || skip "debootstrap reaches no archive: $(tail -n 1 debootstrap.log)"
    container=$(buildah from scratch)
    buildah add -q "$container" root / >/dev/null
    if [ -n "${SSL_CERT_FILE-}" ]; then # certificates of the network's own
        buildah add -q "$container" "$SSL_CERT_FILE" /etc/ssl/certs/own.crt >/dev/null
        buildah config --env PIP_CERT=/etc/ssl/certs/own.crt \
            --env SSL_CERT_FILE=/etc/ssl/certs/own.crt "$container"
    fi
    buildah commit -q --rm "$container" "$base" >/dev/null
    rm -rf root
}

inside() { # CONTAINER SETUP: the chain, without a network, as a user without rights
    rm -rf try && mkdir try && chmod 777 try
    offline buildah run --isolation chroot --user 1000 -v "$work/chain.sh:/chain.sh:ro" \
        -v "$work/try:/data" "$1" -- sh -c "$2 cd /data && sh /chain.sh"
    buildah rm "$1" >/dev/null
}

container() {
    base_image
    buildah bud -q --isolation chroot --build-arg BASE="$base" --build-arg TORCH="${TORCH-cpu}" \
        -t "$image" "$here"
    buildah images "$image"
    inside "$(buildah from "$image")" ""
    [ -n "${KEEP-}" ] || buildah rmi "$image" >/dev/null
}

section() { awk -v want="%$1" '/^%/ {on = ($1 == want); next} on' "$here/man/examples/apptainer.def"; }

apptainer() { # the parts of the definition, in their order; Apptainer itself is not needed
    base_image
    made=$(buildah from "$base")
    section files | while read -r from to; do
        [ -z "$from" ] || buildah add -q "$made" "$here/$from" "$to" >/dev/null
    done
    section post | sed "s/{{ torch }}/${TORCH-cpu}/" >post.sh
    section test >check.sh
    section environment >environment.sh
    for part in post.sh check.sh; do
        buildah run --isolation chroot -v "$work/$part:/$part:ro" "$made" -- sh "/$part"
    done
    inside "$made" "$(cat environment.sh)
"
}

for what; do
    echo "== $what"
    case $what in
        light) light ;;
        wheel) tools && installers "$(ls "$work"/dist/*.whl)" ;;
        sdist) tools && installers "$(ls "$work"/dist/*.tar.gz)" ;;
        container) container ;;
        apptainer) apptainer ;;
        *) echo "unknown: $what (light, wheel, sdist, container or apptainer)" >&2; exit 2 ;;
    esac
done
