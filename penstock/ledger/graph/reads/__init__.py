"""Questions to the graph, by what is asked for; `Catalog` has them all."""
