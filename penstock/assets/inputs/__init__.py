"""What a dataset reads: each kind of input is a file of the same shape, see `kind`."""
