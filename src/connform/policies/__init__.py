"""Policies: JSON Schemas of effective connections, and a diagnostic for each value that they refuse.

Layer 2, no IO. Nothing here is imported by a run without policies.
"""
