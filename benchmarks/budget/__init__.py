"""How the change budget is learnt and spent, in simulations."""
