"""The server of `connform monitor`: page, report, metrics and probes. Layer 4; IO: sockets, the files of certificate and credentials."""
