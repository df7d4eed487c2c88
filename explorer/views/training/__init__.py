"""Training runs as charts, rows and sentences."""
