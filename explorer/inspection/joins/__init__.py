"""Where paths of a network meet: every residual addition, whether its operands match, and the root cause if not."""
