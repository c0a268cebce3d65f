"""Turns policies, JSON Schemas of effective connections, into diagnostics at the place of each refused value.

Layer 2, no IO. Nothing here is imported by a run without policies.
"""
