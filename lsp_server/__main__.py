"""`python -P -m lsp_server`: with -P, so that no file of the folder it starts in is taken for one of its modules."""

from __future__ import annotations

import gc
import os
import sys

gc.disable()  # until `serve`: of what is imported nothing is ever garbage, and looking for it takes a while
try:
    from lsp_server.serving import serve
except ModuleNotFoundError as problem:
    if problem.name not in ("pygls", "lsprotocol"):
        raise
    sys.exit("sage-git: the language server needs pygls, which is not installed: pip install 'sage-git[lsp]'")

sys.exit(serve(dict(os.environ)))
