"""From commits to facts (SPEC 5). Pure: git objects in, events out; no policy, clock, configuration or other events."""
