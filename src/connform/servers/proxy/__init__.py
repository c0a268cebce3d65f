"""The server of `connform proxy`: adds the credential to the requests of programs on this machine. Layer 4; IO: sockets."""
