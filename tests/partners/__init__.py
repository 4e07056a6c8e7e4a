"""How partners are asked, and how their refusals are recognised."""
