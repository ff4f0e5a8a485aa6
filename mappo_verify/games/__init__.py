"""Games: by name, from files, from other libraries."""
