"""Turns the text of a manifest into its canonical layout: `connform fmt`. Layer 2, no IO; docs/layout.md has the rules."""
