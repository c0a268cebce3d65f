"""Canonical layout of manifests (`connform fmt`), and a diff. Layer 2, no IO; docs/reference/layout.md has the rules."""
