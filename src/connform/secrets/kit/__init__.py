"""The interface of secret backends, and the code that several backends share. Layer 2."""
