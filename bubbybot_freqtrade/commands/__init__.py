"""What the `bubbybot` command does beside rehearsal, drills, report and search."""
