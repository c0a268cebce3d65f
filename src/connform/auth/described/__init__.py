"""Auth methods that a provider's file describes: the definition in it, and the auth method that it makes."""
