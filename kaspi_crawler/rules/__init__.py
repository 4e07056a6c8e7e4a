"""Rules and listings as people keep them: tables in workbooks, CSV and YAML, read and written."""
