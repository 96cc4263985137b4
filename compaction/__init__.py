"""Upkeep: how the tables' files are kept."""
