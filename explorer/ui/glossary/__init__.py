"""The glossary and the keys behind "?", and what every hint says."""
