"""The backend `sops`: values of files that SOPS encrypted. Layer 2."""
