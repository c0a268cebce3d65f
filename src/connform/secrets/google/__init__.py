"""The backend `gcpsecrets`: Google Cloud Secret Manager. Layer 2."""
