"""What stands between the spiders and the network, one role a file."""
