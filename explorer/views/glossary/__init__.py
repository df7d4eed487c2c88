"""What the page shows of the glossary."""
