"""The verb `init`: a first manifest from a person's answers or from the names of environment variables, and the files around it.

Layer 3.
"""
