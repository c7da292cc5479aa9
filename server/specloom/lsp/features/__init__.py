"""One file a method or feature. Refuses logic about tasks: features translate and answer."""
