"""From facts to verdicts (SPEC 6). Pure: facts and the text of a policy in, verdicts out; no git, file or clock."""
