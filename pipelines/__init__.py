"""The hands: one stage a file, one verb a stage."""
