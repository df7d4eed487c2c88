"""The shortcut checks: a row for each residual addition, the guided walk, and SARIF."""
