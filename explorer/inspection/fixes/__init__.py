"""Changes that make a mismatch match, each verified by applying it and tracing the network again."""
