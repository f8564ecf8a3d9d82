"""`python -P -m lsp_server`: with -P, so that no file of the folder it starts in is taken for one of its modules."""

from __future__ import annotations

import gc
import os
import sys

gc.set_threshold(700, 10, 1_000)  # until `serve`: what stays for a while of what is imported stays for good
try:
    from lsp_server.serving import serve
except ModuleNotFoundError as problem:
    if problem.name not in ("pygls", "lsprotocol"):
        raise
    sys.exit("sage-git: the language server needs pygls, which is not installed: pip install 'sage-git[lsp]'")

sys.exit(serve(dict(os.environ)))
