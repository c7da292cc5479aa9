"""Floor 1: what a user may set. Refuses to be read by any floor but `compose`: values are passed down."""
