"""ailineage: the history of AI as a graph that answers in English and Chinese and cites its sources.

>>> import ailineage
>>> ailineage.open().ask("Who proposed the perceptron?").answer  # doctest: +SKIP
'The perceptron was proposed by Frank Rosenblatt. [1]'

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ailineage.engine import Engine
    from ailineage.errors import AilineageError
    from ailineage.kg.graph import KnowledgeGraph
    from ailineage.kg.model import Claim, Edge, Node
    from ailineage.kg.vocabulary import Kind, Relation
    from ailineage.models.decoder.answer import Answer
    from ailineage.retrieval.evidence import Evidence
    from ailineage.retrieval.follow_up import Turn
    from ailineage.workspace import Workspace

__version__ = "0.1.0"

_HOMES = {
    "AilineageError": "ailineage.errors",
    "Answer": "ailineage.models.decoder.answer",
    "Claim": "ailineage.kg.model",
    "Edge": "ailineage.kg.model",
    "Engine": "ailineage.engine",
    "Evidence": "ailineage.retrieval.evidence",
    "Kind": "ailineage.kg.vocabulary",
    "KnowledgeGraph": "ailineage.kg.graph",
    "Node": "ailineage.kg.model",
    "Relation": "ailineage.kg.vocabulary",
    "Turn": "ailineage.retrieval.follow_up",
    "Workspace": "ailineage.workspace",
}

__all__ = [
    "AilineageError",
    "Answer",
    "Claim",
    "Edge",
    "Engine",
    "Evidence",
    "Kind",
    "KnowledgeGraph",
    "Node",
    "Relation",
    "Turn",
    "Workspace",
    "open",
]


def open(workspace: str | Path | None = None, **settings: Any) -> Engine:
    """Open a workspace; the library's graph and index are built on first use.

    Args:
        workspace: its folder; else $AILINEAGE_HOME, else the platform's data folder.
        settings: fields of `Engine`: embedder_name, decoder_name, device, notice, scripted.

    Raises:
        WorkspaceError: if the path is a file.
    """
    from ailineage.engine import Engine
    from ailineage.workspace import Workspace

    return Engine(Workspace.at(workspace), **settings)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ailineage' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
