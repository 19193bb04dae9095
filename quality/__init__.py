"""Quality: what is measured and counted of the product."""
