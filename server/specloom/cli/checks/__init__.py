"""What `specloom doctor` looks at, one file a subject. Refuses to mend: each check says how."""
