"""Analyzers' columns in; score, tags, regime and chart marks out."""
