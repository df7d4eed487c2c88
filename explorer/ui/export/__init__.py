"""Share, Export and Help."""
