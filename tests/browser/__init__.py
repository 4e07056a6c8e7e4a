"""The browser that reads pages without a state: real Chromium, real pages that build it."""
