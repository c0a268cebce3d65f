"""The public functions of `import connform`: `load`, `connect`, `validate`, `check`, `plan` and `apply`. Layer 3."""
