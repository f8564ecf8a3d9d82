"""`python -P -m lsp_server`: with -P, so that no file of the folder it starts in is taken for one of its modules."""

from __future__ import annotations

import os
import sys

from lsp_server.serving import serve

sys.exit(serve(dict(os.environ)))
