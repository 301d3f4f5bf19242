"""Picture to Picture. Knows no file format, no HTTP, no database and no environment."""
