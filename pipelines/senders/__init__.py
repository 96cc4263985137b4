"""The systems that send: a database and a broker of the demo's own, and what it has them hold."""
