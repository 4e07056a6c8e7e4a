"""A market in miniature: buyers, rivals and their weeks; from a seed, without clock or socket."""
