"""Tests of the language: values that compute."""
