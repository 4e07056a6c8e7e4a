"""How a crawl is judged, and who hears of it."""
