"""Files that arrive: looked at, read as rows of the contract's types, and found again by line."""
