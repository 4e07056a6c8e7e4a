"""How accounts are kept and how codes come."""
