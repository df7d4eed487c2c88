"""What the inspector says about the selected box: shapes, formula, arithmetic, the paper's table, code."""
