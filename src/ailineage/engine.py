"""The object behind the facade: one workspace, opened; questions in, cited answers out.

Graph, index and decoder are loaded when first needed. Everything a command, a page or a script can do is a method
here; nothing here draws or prints.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ailineage.corpus import documents as reading
from ailineage.errors import DocumentError, MismatchError, UsageError, WorkspaceError
from ailineage.kg import building, decisions, exports, lineage, sparql, store
from ailineage.kg.building import Parts
from ailineage.kg.decisions import Decision, Verdict
from ailineage.kg.extraction import Extract
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.workspace import Version, Workspace, matching, version_of

if TYPE_CHECKING:
    from ailineage.models.decoder.answer import Answer, Event
    from ailineage.models.decoder.runtime import Decoder
    from ailineage.models.decoder.training.tuning import Measure, Settings
    from ailineage.models.reference import Implementation, Step
    from ailineage.retrieval.embedding import Embedder
    from ailineage.retrieval.evidence import Evidence
    from ailineage.retrieval.follow_up import Turn
    from ailineage.retrieval.retriever import Retriever

LONGEST_QUESTION = 2_000
"""Characters of a question; a longer one is refused with a line that says so."""

Notice = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """What a build, add or remove did."""

    version: str
    documents: int
    passages: int
    nodes: int
    claims: int
    conflicts: int
    notes: tuple[str, ...] = ()


@dataclass
class Engine:
    """An opened workspace.

    `embedder_name` and `decoder_name` name other models than the packaged ones (a folder or hub name), `adapter_name`
    the folder of another adapter of the decoder than the shipped one, or `none`; `scripted` is an object with the
    decoder's interface. `device` is auto, cpu or cuda. `notice` receives one-line messages.
    """

    workspace: Workspace
    embedder_name: str | None = None
    decoder_name: str | None = None
    adapter_name: str | None = None
    device: str = "auto"
    notice: Notice = lambda _: None
    scripted: Decoder | None = None
    _loading: threading.RLock = field(default_factory=threading.RLock, repr=False)

    # ---- building -------------------------------------------------------------------------------------------

    def build(
        self,
        arguments: Iterable[str | Path] = (),
        *,
        only: bool = False,
        recall: float | None = None,
        jobs: int | None = None,
    ) -> Report:
        """Build graph and index anew from the library and the documents named.

        Args:
            arguments: files, folders or globs.
            only: without the library.
            recall: recall@10 against exact search that the index is tuned to where it is too large to be searched
                exactly; `add` and `remove` keep to it.
            jobs: so many processes read the documents; if None, as many as there are cores where there is much to read.

        Raises:
            DocumentError: if a document cannot be read; nothing is published then.
            WorkspaceError: if another process is writing.
        """
        files = reading.paths(arguments)
        if only and not files:
            raise UsageError("--only needs at least one path")
        if recall is not None and not 0 < recall <= 1:
            raise UsageError(f"a recall of {recall:g} makes no sense; name one above 0 and up to 1")
        with self.workspace.writing():
            parts = Parts(building.library(), with_library=not only, decisions=self.decisions())
            notes = parts.take(self._read(files, parts, jobs))
            return self._publish(parts, notes, recall)

    def add(self, arguments: Iterable[str | Path], *, jobs: int | None = None) -> Report:
        """Add documents (or replace those of the same name); nothing else is read or embedded again.

        `jobs` is as in `build`.
        """
        files = reading.paths(arguments)
        if not files:
            raise UsageError("name at least one document to add")
        with self.workspace.writing():
            parts = self._parts()
            notes = parts.take(self._read(files, parts, jobs))
            return self._publish(parts, notes)

    def remove(self, document: str) -> Report:
        """Remove a document that was added.

        Raises:
            UsageError: if there is no such document, or it is an article of the library.
        """
        with self.workspace.writing():
            parts = self._parts()
            if document not in parts.extracts:
                if document in self.graph.documents:
                    raise UsageError(f"{document!r} belongs to the authored library and cannot be removed")
                raise UsageError(f"no document is called {document!r}; `ailineage documents` lists them")
            del parts.extracts[document]
            return self._publish(parts, [])

    def decide(self, node: str, verdict: Verdict | str, into: str | None = None) -> Report:
        """Confirm or reject a provisional node, or merge it into another; it holds for every later build.

        Args:
            node: the provisional node's name or id.
            verdict: `confirmed`, `rejected` or `merged`.
            into: the node to merge it into.

        Raises:
            UsageError: if the node is not provisional, or the verdict is none of the three.
        """
        if verdict not in list(Verdict):
            raise UsageError(f"{verdict!r} is no verdict; choose from {', '.join(Verdict)}")
        target = self.node(into) if into is not None else None
        decision = decisions.decide(self.graph, self.node(node), Verdict(verdict), target)
        with self.workspace.writing():
            parts = self._parts()
            parts.decisions[decision.id] = decision
            return self._publish(parts, [])

    def undecide(self, id: str) -> Report:
        """Take a decision back; the node is again as it was read.

        Raises:
            UsageError: if nothing was decided about it.
        """
        with self.workspace.writing():
            parts = self._parts()
            if parts.decisions.pop(id, None) is None:
                raise UsageError(f"nothing was decided about {id!r}")
            return self._publish(parts, [])

    def decisions(self) -> dict[str, Decision]:
        """What was decided about provisional nodes, by node id."""
        try:
            current = self.workspace.current("graph")
        except WorkspaceError:
            return {}
        return store.load_decisions(current.folder) if current else {}

    def ensure(self) -> None:
        """Build the library's graph and index if the workspace has none."""
        if self.workspace.current("graph") is None or self.workspace.current("index") is None:
            self.notice("first use: building the library's graph and index")
            self.build()

    def _parts(self) -> Parts:
        current = self.workspace.current("graph")
        if current is None:
            return Parts(building.library())
        parts = Parts(building.library(), with_library=current.manifest.get("library", True))
        return building.reopen(store.load(current.folder), current.folder, parts)

    def _read(self, files: dict[Path, str], parts: Parts, jobs: int | None) -> Iterator[Extract]:
        from tqdm import tqdm

        if jobs is not None and jobs < 1:
            raise UsageError(f"{jobs} processes cannot read anything; name 1 or more")
        with tqdm(total=len(files), desc="reading", unit="file", disable=None if len(files) > 3 else True) as bar:
            for number, extracted in parts.reader().files(files, jobs):
                bar.update(number - bar.n)
                document = extracted.document
                if document.encoding not in ("utf-8", "utf-8-sig", "pdf", "docx"):
                    self.notice(f"{document.source}: read as {document.encoding}")
                yield extracted

    def _publish(self, parts: Parts, notes: list[str], recall: float | None = None) -> Report:
        from ailineage.retrieval.retriever import Retriever
        from ailineage.retrieval.structure import RECALL

        for note in notes:
            self.notice(note)
        graph = parts.graph()
        if not graph.documents:
            raise DocumentError("nothing to build from: no document has text")
        said = [f"{id} {extract.document.sha256}" for id, extract in sorted(parts.extracts.items())]
        library = building.library_version()
        decided = [f"{d.id} {d.verdict} {d.into or ''}".strip() for _, d in sorted(parts.decisions.items())]
        version = version_of(library, str(parts.with_library), *said, *decided)
        manifest = {
            "library": parts.with_library,
            "library_version": library,
            "documents": said,
            "decisions": decided,
        }
        earlier = self._index()
        embedder = self.embedder
        if recall is None:
            recall = earlier.manifest.get("recall", RECALL) if earlier else RECALL
        index = version_of(version, embedder.identity, str(recall))

        def write(folder: Path) -> None:
            store.save(graph, parts.provisional, folder, parts.decisions)

        def write_index(folder: Path) -> dict[str, Any]:
            known = earlier.folder if earlier else None
            cache = self.workspace.cache
            return {"dense": Retriever.build(graph, embedder, folder, known, cache, recall).to_json()}

        built = self.workspace.publish("graph", version, manifest, write)
        self.workspace.publish(
            "index", index, {"graph": built.name, "embedder": embedder.identity, "recall": recall}, write_index
        )
        self._forget()
        conflicts = sum(1 for claim in graph.claims.values() if claim.conflicts_with and not claim.authored)
        return Report(
            version,
            len(graph.documents),
            len(graph.passages),
            len(graph.nodes),
            len(graph.claims),
            conflicts,
            tuple(notes),
        )

    def _index(self) -> Version | None:
        try:
            return self.workspace.current("index")
        except WorkspaceError:
            return None

    def _forget(self) -> None:
        for name in ("graph", "retriever"):
            self.__dict__.pop(name, None)

    # ---- what is loaded when asked for ----------------------------------------------------------------------

    @cached_property
    def graph(self) -> KnowledgeGraph:
        """The published graph; built first if there is none."""
        self.ensure()
        current = self.workspace.current("graph")
        assert current is not None
        return store.load(current.folder)

    @cached_property
    def embedder(self) -> Embedder:
        """The embedding model."""
        from ailineage.retrieval.embedding import open_embedder

        return open_embedder(self.embedder_name, self.workspace.cache, self.device)

    @cached_property
    def retriever(self) -> Retriever:
        """The published index, checked against the graph and the embedder.

        Raises:
            MismatchError: if they were not made for each other.
        """
        from ailineage.retrieval.retriever import Retriever

        graph = self.graph
        index, version = self.workspace.current("index"), self.workspace.current("graph")
        if index is None or version is None:
            raise WorkspaceError(f"{self.workspace.root}: no index; run `ailineage build`")
        matching(index, version)
        if index.manifest.get("embedder") != self.embedder.identity:
            raise MismatchError(
                f"{index.folder}: built with another embedding model; run `ailineage build` with this --embedder"
            )
        return Retriever.open(index.folder, graph, self.embedder, cache=self.workspace.cache, device=self.device)

    @cached_property
    def decoder(self) -> Decoder:
        """The decoder: packaged weights and their adapter unless others are named.

        Raises:
            WeightsError: if weights are missing; the message says what to install.
            MismatchError: if the workspace's own adapter was trained on another base.
        """
        if self.scripted is not None:
            return self.scripted
        from ailineage.models.decoder.runtime import open_decoder
        from ailineage.models.decoder.weights import NOTICE

        shown = self.workspace.cache / "gemma-terms-shown"
        if self.decoder_name is None and not shown.exists():
            self.notice(NOTICE)
            shown.touch()
        return open_decoder(self.decoder_name, self.workspace.cache, self.device, adapter=self._adapter())

    def _adapter(self) -> Path | None:
        """The adapter that is named, else the one trained in this workspace, else the shipped one of the packaged base.

        Raises:
            MismatchError: if the workspace's own was trained on another base.
        """
        from ailineage.models.decoder.weights import ADAPTER, PACKAGED

        if self.adapter_name is not None:
            return None if self.adapter_name == "none" else Path(self.adapter_name).expanduser()
        base = self.decoder_name or PACKAGED
        if (trained := self.workspace.current("decoder")) is not None:
            if trained.manifest.get("base") != base:
                raise MismatchError(
                    f"{trained.folder}: trained on {trained.manifest.get('base')}, not {base}; run `ailineage train`"
                    " with this --decoder, or name an --adapter (none for the base alone)"
                )
            return trained.folder
        return ADAPTER if self.decoder_name is None and ADAPTER.is_dir() else None

    def train(
        self,
        settings: Settings,
        *,
        out: Path | None = None,
        start: Path | None = None,
        made: int | None = None,
        only: int | None = None,
        resume: bool = False,
        publish: bool = True,
    ) -> list[Measure]:
        """Fine-tune the decoder on the library and use the result in this workspace from then on.

        Args:
            settings: of the run.
            out: folder of the run's state; one in the workspace's cache if None.
            start: an adapter to begin with.
            made: how many questions are made from the graph beside those written by hand.
            only: at most so many questions of each sort, for a trial.
            resume: go on with the run whose state is in `out`.
            publish: whether the workspace answers with the new adapter.

        Returns:
            What every evaluation on the held-out families measured.

        Raises:
            UsageError: if the workspace holds documents of its own: the decoder is trained on the library.
        """
        from ailineage.models.decoder.training import recipe, tuning
        from ailineage.models.decoder.weights import PACKAGED, prepare

        out = out or self.workspace.cache / "training"
        if resume and not (out / tuning.STATE).is_file():
            raise UsageError(f"{out}: there is no run to resume here; leave --resume out")
        if start is not None and not (start / "adapter_config.json").is_file():
            raise UsageError(f"{start}: no adapter_config.json in this folder, so it holds no adapter to begin with")
        if self.documents():
            raise UsageError("this workspace holds documents of your own; train in another (--workspace DIR)")
        device = self.device
        if device == "auto":
            import torch

            device = "cuda" if torch.cuda.is_available() else "cpu"
        base = prepare(self.decoder_name, self.workspace.cache, "transformers")
        data = recipe.gather(
            self.retriever, made=recipe.GENERATED if made is None else made, only=only, seed=settings.seed
        )
        measures = tuning.tune(
            base.path, data.training, data.held_out, out, settings, device=device, start=start, resume=resume
        )
        if publish:
            name = self.decoder_name or PACKAGED
            files = [out / "adapter_config.json", out / "adapter_model.safetensors"]

            def write(folder: Path) -> None:
                for file in files:
                    shutil.copy(file, folder / file.name)

            version = version_of(name, *(sha256(file.read_bytes()).hexdigest() for file in files))
            with self.workspace.writing():
                self.workspace.publish("decoder", version, {"base": name, "report": asdict(measures[-1])}, write)
            self.__dict__.pop("decoder", None)
        return measures

    # ---- asking ---------------------------------------------------------------------------------------------

    def ask(
        self,
        question: str,
        *,
        language: str | None = None,
        model: bool = True,
        before: Sequence[Turn] = (),
        verified: bool = True,
    ) -> Answer:
        """Answer a question with citations, or refuse.

        Args:
            question: in English or Chinese, at most 2,000 characters.
            language: `en` or `zh`; the question's own if None.
            model: whether the decoder writes; without it sentences are taken from the evidence.
            before: the turns of the conversation so far, oldest first; a question that leans on them ("and who
                proposed it?") is first said in full, and the answer's `in_full` holds that.
            verified: whether what the decoder writes is checked; off only to measure the check.
        """
        from ailineage.models.decoder.answer import Done

        for event in self.stream(question, language=language, model=model, before=before, verified=verified):
            if isinstance(event, Done):
                return event.answer
        raise AssertionError("an answer always ends in Done")

    def stream(
        self,
        question: str,
        *,
        language: str | None = None,
        model: bool = True,
        before: Sequence[Turn] = (),
        verified: bool = True,
    ) -> Iterator[Event]:
        """Like `ask`, but yields what the decoder writes while it writes; the last event holds the answer.

        Raises:
            UsageError: if the question is empty or too long.
        """
        question = question.strip()
        if not question:
            raise UsageError("the question is empty; ask something")
        if len(question) > LONGEST_QUESTION:
            raise UsageError(
                f"the question has {len(question):,} characters, more than {LONGEST_QUESTION:,}; add long texts with"
                " `ailineage add` and ask about them"
            )
        from ailineage.models.decoder.answer import Done, answer
        from ailineage.retrieval.follow_up import in_full

        began = time.perf_counter()
        with self._loading:
            graph = self.graph
            asked = in_full(question, before, graph)[:LONGEST_QUESTION]
            bundle = self.retriever.bundle(asked, language)
            decoder = self.decoder if model else None
        taken = (time.perf_counter() - began) * 1000
        for event in answer(
            bundle,
            decoder,
            nodes=graph.nodes,
            claims=graph.claims,
            lexicon=graph.lexicon,
            retrieve_ms=taken,
            verified=verified,
        ):
            if isinstance(event, Done) and asked != question:
                event = Done(replace(event.answer, question=question, in_full=asked))
            yield event

    def feedback(self, question: str, answer: Answer, *, good: bool) -> None:
        """Keep what the user thought of an answer in the workspace's feedback.jsonl; it is sent nowhere."""
        when = datetime.now(UTC).isoformat(timespec="seconds")
        self.workspace.note({"when": when, "question": question, "good": good, "answer": answer.to_json()})

    def search(self, query: str, *, k: int = 10, mode: str = "hybrid") -> list[Evidence]:
        """The k passages nearest to a query."""
        if not query.strip():
            raise UsageError("the query is empty")
        if k < 1:
            raise UsageError(f"-k must be at least 1, not {k}")
        return self.retriever.search(query[:LONGEST_QUESTION], k=k, mode=mode)

    # ---- the graph ------------------------------------------------------------------------------------------

    def node(self, name: str) -> Node:
        """The node a name means."""
        return self.graph.resolve(name)

    def path(self, start: str, goal: str, language: str = "en") -> lineage.Path | None:
        """The best line of descent between two nodes, whichever is the elder, or through a shared ancestor.

        A name that several nodes bear means the eldest of them, as `ailineage.kg.lineage.named` has it.
        """
        first, last = (lineage.named(self.graph, name)[0].id for name in (start, goal))
        return lineage.path(self.graph, first, last, language)

    def claims(self, *, document: str | None = None, conflicts: bool = False) -> list[Claim]:
        """All claims, those of one document, or those that contradict others.

        Raises:
            UsageError: if there is no such document.
        """
        graph = self.graph
        if document is not None and document not in graph.documents:
            raise UsageError(f"no document is called {document!r}; `ailineage documents` lists them")
        chosen: Iterable[Claim] = graph.claims.values() if document is None else graph.by_document.get(document, [])
        return [claim for claim in chosen if claim.conflicts_with or not conflicts]

    def provisional(self, document: str) -> list[Node]:
        """The nodes a document introduced that are not in the library, whatever was decided about them."""
        current = self.workspace.current("graph")
        return store.load_provisional(current.folder).get(document, []) if current else []

    def documents(self) -> list[reading.Document]:
        """The user's documents, without the library's articles."""
        return [document for document in self.graph.documents.values() if document.source != "library"]

    def export(
        self, format: str, path: Path, *, node: str | None = None, generations: int = 2, language: str = "en"
    ) -> None:
        """Write the graph, or a node's family tree or papers, in one of the formats of `ailineage.kg.exports`."""
        id = None if node is None else lineage.named(self.graph, node)[0].id
        exports.write(self.graph, format, path, node=id, generations=generations, language=language)

    def sparql(self, query: str, *, endpoint: str | None = None) -> sparql.Table:
        """Answer a read-only SPARQL query, here or at the SPARQL 1.1 server of a URL."""
        if endpoint is not None:
            from ailineage.kg import endpoint as remote

            return remote.query(endpoint, query)
        return sparql.query(self.graph, query)

    def validate(self) -> list[str]:
        """What is wrong with the library and with this workspace's graph, one line each."""
        from ailineage.corpus import library
        from ailineage.kg import chronology, rdf, validation

        shelf = library.load()
        findings = validation.check(shelf)
        findings += [f"graph: {line}" for line in rdf.check_shapes(rdf.to_rdf(self.graph))]
        findings += [f"graph: {line}" for line in chronology.unexplained(self.graph, chronology.excused(shelf))]
        findings += [f"graph: descent runs in a circle: {', '.join(knot)}" for knot in lineage.circles(self.graph)]
        return findings + validation.check_graph(self.graph)

    def doctor(self) -> dict[str, Any]:
        """Versions, device, weights and the state of the workspace, and what is missing."""
        from ailineage.diagnosis import diagnose

        return diagnose(self.workspace)

    # ---- implementations ------------------------------------------------------------------------------------

    def implementations(self) -> Mapping[str, Implementation]:
        """The runnable reference implementations by id, in order of year."""
        from ailineage.models.reference import implementations

        return implementations()

    def implementation(self, id: str) -> Implementation:
        """One implementation.

        Raises:
            UsageError: if there is none of that id.
        """
        found = self.implementations().get(id.replace("-", "_"))
        if found is None:
            raise UsageError(f"no implementation is called {id!r}; `ailineage implementations` lists them")
        return found

    def implementation_of(self, node: str) -> str | None:
        """The id of the implementation of a node."""
        return next((item.id for item in self.implementations().values() if item.node == node), None)

    def nearest_implementation(self, node: str) -> str | None:
        """For a node whose design was never published, the implementation of the nearest published one."""
        return next((item.id for item in self.implementations().values() if node in item.nearest_to), None)

    def run(self, id: str, *, seed: int = 0, tiny: bool = False) -> Iterator[Step]:
        """The steps of an implementation's demonstration, as they happen."""
        from ailineage.models.reference import steps

        return steps(self.implementation(id), seed, tiny)

    def diff(self, parent: str, child: str) -> str:
        """What one implementation changes against another, as a unified diff."""
        from ailineage.models.reference import diff

        return diff(self.implementation(parent), self.implementation(child))
