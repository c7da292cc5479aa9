"""What an agent may do: profiles, rules, grants, and what a shell line really runs. Refuses to ask anybody."""
