"""The seller's side of the marketplace: sign-in, cabinet, price lists, the market's own book."""
