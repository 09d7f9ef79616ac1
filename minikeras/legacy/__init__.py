"""Old names and other libraries' names, for scripts written for them."""
