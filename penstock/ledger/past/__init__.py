"""What runs remember of the past, so that they need not read it. Losing it costs time alone."""
