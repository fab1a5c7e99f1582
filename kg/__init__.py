"""The knowledge graph: vocabulary, claims, identity, lineage, RDF."""
