"""Price feeds on disk and on the wire: their versions, and the service that hands them out."""
