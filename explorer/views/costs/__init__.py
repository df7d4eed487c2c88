"""What the shortcut options A, B and C cost in one network."""
