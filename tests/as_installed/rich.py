"""Hides rich from a command that a test runs: users seldom have it, and httpx would import it for its 25 ms."""

raise ImportError
