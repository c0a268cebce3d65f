"""The verbs, without click and without standard output: each takes names and returns a report."""
