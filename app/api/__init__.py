"""The HTTP doors, one package for each domain: routes and schemas."""
