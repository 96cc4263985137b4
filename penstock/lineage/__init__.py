"""Column lineage: the model, and how it is read from the plan of a frame."""
