"""The language: frozen values whose words every room shares."""
