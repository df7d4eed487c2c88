"""What every panel shares: server answers, sessions, jobs, charts, tables, scripts and style sheets."""
