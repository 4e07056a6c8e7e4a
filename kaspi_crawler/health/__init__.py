"""What the doctor looks at: each module one part of the set-up, each answer a verdict."""
