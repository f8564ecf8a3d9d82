"""What the user wants: one module a use case. The one floor that puts storage, gitrepo and the pure parts together."""
