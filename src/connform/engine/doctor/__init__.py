"""The verb `doctor`: one module for each section of what it looks at. Layer 3; each module says what it asks."""
