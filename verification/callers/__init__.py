"""What programs that call the HTTP API may do: who they are, and the attempts that they make."""
