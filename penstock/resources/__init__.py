"""The outside world: lake, clusters, secrets, the machine. Only here is the environment read."""
