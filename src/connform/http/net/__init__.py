"""Connections below HTTP: name look-up, TCP, proxies and TLS, each failure with its fault. Layer 1."""
