"""Plans and their application: changes, plan file, approval, safety rules, renames, records of attempts. Layer 3."""
