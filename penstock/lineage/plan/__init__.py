"""How the plan of a frame is read: from the JVM's tree, from Connect's text, to the origins."""
