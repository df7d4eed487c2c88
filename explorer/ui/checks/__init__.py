"""The Shortcut checks tab."""
