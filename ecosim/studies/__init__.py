"""Studies: many runs that answer one question together, and the table or map they make."""
