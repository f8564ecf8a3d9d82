"""What a signature proves: SSH signatures, and who may make them. Pure; all that it needs is cryptography."""
