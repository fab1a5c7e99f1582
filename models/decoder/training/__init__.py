"""Teach the decoder to read evidence: questions written by hand, questions made from the graph, and fine-tuning."""
