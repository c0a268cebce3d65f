"""Text to nodes to document, with every mistake at its place; no environment, no network, no clock."""
