"""`python -m sage_git`: the same as the command `sage-git`."""

from sage_git.cli.main import main

raise SystemExit(main())
