"""The contracts: what every dataset of this deployment promises, layer by layer."""
