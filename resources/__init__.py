"""The outside world of this deployment. Only here is the environment read."""
