"""What auth methods share: the kinds of methods, where secrets and tokens are sent, JWTs, the OAuth client, schemas."""
