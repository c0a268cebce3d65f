"""Providers that a file describes: the definition in it, and what makes a provider of that."""
