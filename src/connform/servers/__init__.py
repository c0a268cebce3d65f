"""The servers that commands run: the page and metrics of `monitor`, and `proxy`. Layer 4; IO: sockets."""
