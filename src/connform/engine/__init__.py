"""The verbs of connform as functions, without click and without standard output; most return a report."""
