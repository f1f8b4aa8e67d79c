"""Pages of forms that providers describe by JSON Schema, as forms of our own."""
