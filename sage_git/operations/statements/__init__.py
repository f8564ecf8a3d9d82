"""What people, agents and tools say: appending it, and taking a body back."""
