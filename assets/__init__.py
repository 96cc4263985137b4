"""The dataset functions: pure DataFrame code, layer by layer."""
