"""The SQL of `connform_meta`, the table of single values of a state database: one per name. Layer 2, no IO."""

READ_META = "SELECT value FROM connform_meta WHERE name = ?"
SET_META = "INSERT INTO connform_meta (name, value) VALUES (?, ?)"
DELETE_META = "DELETE FROM connform_meta WHERE name = ?"
