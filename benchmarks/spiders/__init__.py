"""What our spiders are measured against."""
