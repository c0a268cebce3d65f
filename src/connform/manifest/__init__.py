"""Manifests: parser, schema checks, rules, diagnostics, typed model; no environment variables, no network, no clock."""
