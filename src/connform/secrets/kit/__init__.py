"""What backends are made of: their interface, and what several of them share. Layer 2."""
