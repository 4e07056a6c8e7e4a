"""The playground: the marketplaces in miniature, on this machine."""
