"""From facts to verdicts, and what a policy may say (SPEC 6). Pure: facts and text in; no git, file or clock."""
