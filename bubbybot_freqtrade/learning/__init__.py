"""What past trades say about the next one."""
