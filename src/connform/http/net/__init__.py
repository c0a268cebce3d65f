"""Connections below HTTP: DNS look-up, TCP, proxy tunnels, TLS; each failure has a fault. Layer 1."""
