"""Whether what ssh reaches is somebody's clone, whose work is never written to, or a repository that takes logs.

git says nothing of it. So it is asked once for the git directory inside a work tree, which no bare repository and no
forge has, and the answer is kept in the index. Not here: clones on a disk (`gitrepo.exchange.clone_store_of`).
"""

from __future__ import annotations

from typing import Final

from sage_git.errors import SageError
from sage_git.gitrepo.exchange import RemoteEnvironment, list_logs
from sage_git.operations.checkout import Checkout

_STORE: Final = "/.git/sage/store.git"
_SCHEMES: Final = ("ssh://", "git+ssh://", "ssh+git://")
_CLONE: Final = "clone"
_REMOTE: Final = "remote"


def store_known_at(checkout: Checkout, url: str) -> str | None:
    """Where the store of the clone at `url` is; None if that is no clone, or nobody has asked yet."""
    return f"{_top(url)}{_STORE}" if checkout.index.value(_key(url)) == _CLONE else None


def is_clone(checkout: Checkout, url: str, remote: RemoteEnvironment) -> bool:
    """True if a clone is at `url`. Asks only where ssh leads, and until somebody answered."""
    if not _may_be_clone(url):
        return False
    known = checkout.index.value(_key(url))
    if known is not None:
        return known == _CLONE
    found = _REMOTE
    try:
        list_logs(f"{_top(url)}/.git", remote)
        found = _CLONE
    except SageError:
        try:
            list_logs(url, remote)
        except SageError:
            return False  # nobody is there now, and we are none the wiser
    with checkout.index.transaction():
        checkout.index.keep(_key(url), found)
    return found == _CLONE


def _may_be_clone(url: str) -> bool:
    """True for ssh and its short form, unless the name says that it is bare."""
    is_ssh = url.startswith(_SCHEMES) or ("://" not in url and ":" in url.partition("/")[0])
    return is_ssh and not _top(url).endswith(".git")


def _top(url: str) -> str:
    """The work tree, if `url` leads to a clone: its git directory may be named as well."""
    return url.rstrip("/").removesuffix("/.git").rstrip("/")


def _key(url: str) -> str:
    return f"what is at {url}"
