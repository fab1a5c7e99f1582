"""Evidence for a question: dense, lexical and graph retrieval."""
