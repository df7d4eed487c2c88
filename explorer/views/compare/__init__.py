"""Two networks side by side: aligned diagrams and the difference in words."""
