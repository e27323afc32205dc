"""The page a person looks at: what it shows, in which words, and how it is put together."""
