"""Keeping it running: what the machine lacks, and everything up as one thing."""
