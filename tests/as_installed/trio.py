"""Hides trio from a command that a test runs: users seldom have it, and httpcore would import it for its 45 ms."""

raise ImportError
