"""Loading of manifests for the verbs: vocabulary, validation, selection, policies, baseline in a Git commit. Layer 3."""
