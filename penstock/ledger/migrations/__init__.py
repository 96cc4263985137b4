"""Alembic's scripts for the ledger, carried in the wheel and run when a ledger is opened."""
