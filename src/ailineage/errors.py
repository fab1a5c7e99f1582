"""What can go wrong because of what a user gave us.

    AilineageError                 shown as one line; exit code 2
    ├── UsageError                 a command or argument that makes no sense
    ├── DocumentError              a document that cannot be read
    ├── LibraryError               an authored article that breaks the rules
    ├── VocabularyError            a kind or relation outside the closed vocabulary
    ├── UnknownNodeError           a name that no node bears
    ├── AmbiguousNodeError         a name that several nodes bear
    ├── WorkspaceError             a workspace that is locked, damaged, missing or too new
    │   └── MismatchError          an index, graph and decoder that were not made for each other
    ├── WeightsError               model weights that are not there or are not what they should be
    ├── QueryError                 a SPARQL query that is malformed, not read-only or too costly
    └── NotYetError                a command that is still to come

Everything else that is raised is a bug and keeps its traceback.
"""

from __future__ import annotations


class AilineageError(Exception):
    """Root of all errors a user can cause; the message names the input, the place and the remedy."""


class UsageError(AilineageError):
    """A command, argument or question that makes no sense."""


class DocumentError(AilineageError):
    """A document that is missing, empty, binary, too large or cannot be decoded."""


class LibraryError(AilineageError):
    """An authored article or bibliography entry that breaks the rules of the library."""


class VocabularyError(AilineageError, ValueError):
    """A node kind or relation that the closed vocabulary does not hold."""


class UnknownNodeError(AilineageError):
    """A name that no node bears."""


class AmbiguousNodeError(AilineageError):
    """A name that several nodes bear; the message lists them."""


class WorkspaceError(AilineageError):
    """A workspace that is locked, damaged, missing or written by a newer version."""


class MismatchError(WorkspaceError):
    """An index, graph and decoder that were not made for each other."""


class WeightsError(AilineageError):
    """Model weights that are missing or fail their checksum."""


class QueryError(AilineageError):
    """A SPARQL query that is malformed, not read-only or over its limits."""


class NotYetError(AilineageError):
    """A command that exists in the contract and is still to be built."""
