"""A package of its own: a dependency that installs another `tests` must not hide it."""
