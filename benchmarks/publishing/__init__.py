"""A storm over publishing: a market whose clock runs fast, eyes that decide, and the audit."""
