"""Files to a manifest that the verbs may use: vocabulary, selection, policies, what stood in a commit. Layer 3."""
