"""How the deployment runs: jobs, schedules, sensors, and the Dagster definitions."""
