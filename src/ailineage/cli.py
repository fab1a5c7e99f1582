"""The command line. Parses, calls the engine, prints; every error a user can cause is one line and exit code 2."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

import ailineage
from ailineage.errors import AilineageError, UsageError

if TYPE_CHECKING:
    from ailineage.engine import Engine, Report

_LANGUAGE = click.Choice(["auto", "en", "zh"])
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_JOBS = click.option(
    "--jobs", type=int, metavar="N", help="Read by N processes; as many as cores if there is much to read."
)


class _Shared(click.Command):
    """A command that takes the options every command takes, and one-line errors."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(
                ["--workspace"], metavar="DIR", help="Workspace (default: $AILINEAGE_HOME, else the data folder)."
            ),
            click.Option(["--embedder"], metavar="NAME", help="Folder or hub name of an embedding model."),
            click.Option(["--decoder"], metavar="NAME", help="Folder or hub name of a causal language model."),
            click.Option(
                ["--adapter"], metavar="DIR", help="Folder of the decoder's adapter; none for the base alone."
            ),
            click.Option(
                ["--device"], type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where models run."
            ),
        ]

    def invoke(self, context: click.Context) -> Any:
        """Open the workspace that the shared options name and hand the engine to the command."""
        given = {name: context.params.pop(name) for name in ("workspace", "embedder", "decoder", "adapter", "device")}
        context.obj = ailineage.open(
            given["workspace"],
            embedder_name=given["embedder"],
            decoder_name=given["decoder"],
            adapter_name=given["adapter"],
            device=given["device"],
            notice=lambda line: click.echo(line, err=True),
        )
        return super().invoke(context)


class _Group(click.Group):
    command_class = _Shared


_Group.group_class = _Group


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(ailineage.__version__, prog_name="ailineage")
def cli() -> None:
    """The history of AI as a graph that answers in English and Chinese and cites its sources."""


def main() -> NoReturn:
    """Entry point of the `ailineage` command."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        _fail(error.format_message())
    except AilineageError as error:
        _fail(str(error))
    except (KeyboardInterrupt, click.Abort):
        click.echo("stopped", err=True)
        code = 130
    except BrokenPipeError:
        sys.stdout = None  # type: ignore[assignment]
        code = 0
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> NoReturn:
    click.echo("ailineage: " + " ".join(message.split()), err=True)
    sys.exit(2)


def _print(data: Any) -> None:
    import orjson

    click.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())


def _report(report: Report, as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        return _print(asdict(report))
    click.echo(
        f"{report.documents} documents, {report.passages} passages, {report.nodes} nodes, {report.claims} claims,"
        f" {report.conflicts} of them in conflict with the library or each other"
    )
    return None


# ---- documents ----------------------------------------------------------------------------------------------


@cli.command()
@click.argument("paths", nargs=-1)
@click.option("--only", is_flag=True, help="Leave the authored library out of the index.")
@click.option("--recall", type=float, metavar="SHARE", help="Recall@10 wanted of a large index; 0.95 by default.")
@_JOBS
@_JSON
@click.pass_obj
def build(
    engine: Engine, paths: tuple[str, ...], only: bool, recall: float | None, jobs: int | None, as_json: bool
) -> None:
    """Build graph and index from the library and the documents at PATHS.

    A build that is killed goes on where it stopped when it is started again.
    """
    _report(engine.build(paths, only=only, recall=recall, jobs=jobs), as_json)


@cli.command()
@click.argument("paths", nargs=-1, required=True)
@_JOBS
@_JSON
@click.pass_obj
def add(engine: Engine, paths: tuple[str, ...], jobs: int | None, as_json: bool) -> None:
    """Add documents to the workspace."""
    _report(engine.add(paths, jobs=jobs), as_json)


@cli.command()
@click.argument("document")
@_JSON
@click.pass_obj
def remove(engine: Engine, document: str, as_json: bool) -> None:
    """Remove a document from the workspace."""
    _report(engine.remove(document), as_json)


@cli.command()
@_JSON
@click.pass_obj
def documents(engine: Engine, as_json: bool) -> None:
    """List the documents that were added."""
    from ailineage import terminal

    found = engine.documents()
    if as_json:
        claims = engine.graph.by_document
        _print(
            [
                {
                    "id": d.id,
                    "title": d.title,
                    "language": d.language,
                    "source": d.source,
                    "characters": len(d.text),
                    "encoding": d.encoding,
                    "claims": len(claims.get(d.id, ())),
                }
                for d in found
            ]
        )
    elif found:
        click.echo("\n".join(terminal.document_line(engine.graph, d) for d in found))
    else:
        click.echo("no documents were added; the library alone answers (`ailineage add PATH`)")


# ---- asking -------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("question", required=False)
@click.option("--lang", type=_LANGUAGE, default="auto", help="Language of the answer.")
@click.option("--no-model", is_flag=True, help="Take sentences from the evidence; load no decoder.")
@click.option("--batch", type=click.Path(), metavar="IN.jsonl", help='Questions, one {"id","question"} a line.')
@click.option("--out", type=click.Path(), metavar="OUT.jsonl", help="Where the answers to --batch go.")
@_JSON
@click.pass_obj
def ask(
    engine: Engine, question: str | None, lang: str, no_model: bool, batch: str | None, out: str | None, as_json: bool
) -> None:
    """Answer QUESTION with citations, or refuse."""
    language = None if lang == "auto" else lang
    if batch:
        from ailineage.evaluation import answer_batch

        if not out or question:
            raise UsageError("--batch IN.jsonl goes with --out OUT.jsonl and without a question")
        return answer_batch(engine, Path(batch), Path(out), language=language, model=not no_model)
    if question is None:
        raise UsageError("give a question, or --batch IN.jsonl --out OUT.jsonl")
    if as_json:
        return _print(engine.ask(question, language=language, model=not no_model).to_json())
    return _talk(engine, question, language, model=not no_model)


def _talk(engine: Engine, question: str, language: str | None, model: bool) -> None:
    """Stream an answer: the checked sentences as they come, then their sources."""
    from ailineage import terminal
    from ailineage.models.decoder.answer import Done, Draft

    drafting = sys.stderr.isatty()
    for event in engine.stream(question, language=language, model=model):
        if isinstance(event, Draft) and drafting:
            click.echo(click.style(event.text, dim=True), nl=False, err=True)
        elif isinstance(event, Done):
            if drafting and model:
                click.echo(err=True)
            click.echo(event.answer.answer)
            if sources := terminal.answer_sources(event.answer):
                click.echo("\n" + sources)


@cli.command()
@click.argument("query", required=False)
@click.option("-k", default=10, show_default=True, help="How many passages.")
@click.option("--mode", type=click.Choice(["hybrid", "dense", "bm25", "graph"]), default="hybrid", show_default=True)
@click.option("--batch", type=click.Path(), metavar="IN.jsonl", help='Queries, one {"id","question"} a line.')
@click.option("--out", type=click.Path(), metavar="OUT.jsonl", help="Where the results of --batch go.")
@_JSON
@click.pass_obj
def search(
    engine: Engine, query: str | None, k: int, mode: str, batch: str | None, out: str | None, as_json: bool
) -> None:
    """Find the passages nearest to QUERY."""
    if batch:
        from ailineage.evaluation import search_batch

        if not out or query:
            raise UsageError("--batch IN.jsonl goes with --out OUT.jsonl and without a query")
        return search_batch(engine, Path(batch), Path(out), k=k, mode=mode)
    if query is None:
        raise UsageError("give a query, or --batch IN.jsonl --out OUT.jsonl")
    found = engine.search(query, k=k, mode=mode)
    if as_json:
        return _print([_result(evidence) for evidence in found])
    for evidence in found:
        text = " ".join(evidence.text.split())
        click.echo(f"{evidence.score:.3f}  {evidence.title} · {evidence.document}:{evidence.start}  {text[:140]}")
    return None


def _result(evidence: Any) -> dict[str, Any]:
    return {
        "document": evidence.document,
        "title": evidence.title,
        "start": evidence.start,
        "end": evidence.end,
        "score": evidence.score,
        "signals": dict(evidence.signals),
        "node": evidence.node,
        "text": evidence.text,
    }


# ---- the graph ----------------------------------------------------------------------------------------------


@cli.command()
@click.argument("name")
@click.option("--lang", type=_LANGUAGE, default="auto", help="Language of the card.")
@_JSON
@click.pass_obj
def node(engine: Engine, name: str, lang: str, as_json: bool) -> None:
    """Show one node: names, facts with sources, relations, implementation."""
    from ailineage import terminal
    from ailineage.kg.exports import claim_json, node_json

    found = engine.node(name)
    code = engine.implementation_of(found.id)
    if as_json:
        claims = [claim_json(claim) for claim in engine.graph.claims_about(found.id)]
        near = engine.nearest_implementation(found.id)
        return _print({**node_json(found), "claims": claims, "implementation": code, "nearest_implementation": near})
    near = None if code else engine.nearest_implementation(found.id)
    click.echo(terminal.node_card(engine.graph, found, _language(lang, name), code, near))
    return None


@cli.command()
@click.argument("start", metavar="[A]", required=False)
@click.argument("goal", metavar="[B]", required=False)
@click.option("--ancestors", "show", flag_value="up", help="Only what A came from.")
@click.option("--descendants", "show", flag_value="down", help="Only what came from A.")
@click.option("--tree", "show", flag_value="tree", help="The family tree below A.")
@click.option("--siblings", "show", flag_value="siblings", help="What shares a parent with A.")
@click.option("--uses", "show", flag_value="uses", help="What A ended up in.")
@click.option("--all", "show", flag_value="all", help="Every path from A to B, best first.")
@click.option("--depth", type=click.IntRange(min=1), help="How many generations.")
@click.option("--influential", metavar="PERIOD", help="What shaped the field most in 2017, 2012/2017, 2017-06.")
@click.option("--during", metavar="PERIOD", help="Only what is dated within it; without A, a timeline.")
@click.option("--before", metavar="DATE", help="Only what is dated before it.")
@click.option("--as-of", metavar="DATE", help="The graph as it stood then.")
@click.option("--lang", type=_LANGUAGE, default="auto", help="Language of the story.")
@_JSON
@click.pass_obj
def lineage(engine: Engine, /, lang: str, as_json: bool, **options: Any) -> None:
    """Show how B descends from A, or the ancestors and descendants of A."""
    from ailineage import descent

    named = options["start"] or "", options["goal"] or ""
    told = descent.tell(engine.graph, descent.Asked(language=_language(lang, "".join(named)), **options))
    for note in told.notes:
        click.echo(note, err=True)
    if as_json:
        return _print(told.data)
    click.echo(told.text)
    return None


def _language(chosen: str, text: str) -> str:
    from ailineage.corpus.documents import language_of

    return language_of(text) if chosen == "auto" else chosen


@cli.command()
@click.option("--document", help="Only what this document claims.")
@click.option("--conflicts", is_flag=True, help="Only claims that contradict others.")
@_JSON
@click.pass_obj
def claims(engine: Engine, document: str | None, conflicts: bool, as_json: bool) -> None:
    """List claims with their sources; ! is preferred against a conflicting one, ✗ is not."""
    from ailineage import terminal
    from ailineage.kg.exports import claim_json

    found = engine.claims(document=document, conflicts=conflicts)
    if as_json:
        return _print([claim_json(claim) for claim in found])
    for claim in found:
        click.echo(terminal.claim_line(engine.graph, claim, engine.graph.documents[claim.document].language))
    return None


@cli.command()
@click.option(
    "--format",
    "format_",
    default="turtle",
    show_default=True,
    help="turtle jsonld ntriples graphml gexf json; the papers: bibtex csl; the family tree of a --node: mermaid dot",
)
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False), help="The file to write.")
@click.option("--node", metavar="NAME", help="The node whose tree is drawn or whose papers are cited.")
@click.option("--depth", type=click.IntRange(min=1), default=2, show_default=True, help="Generations of a tree.")
@click.option("--lang", type=_LANGUAGE, default="auto", help="Language of a tree.")
@click.pass_obj
def export(engine: Engine, format_: str, out: str, node: str | None, depth: int, lang: str) -> None:
    """Write the graph, or a node's family tree or papers, to a file."""
    engine.export(format_, Path(out), node=node, generations=depth, language=_language(lang, node or ""))


@cli.command()
@click.argument("query")
@click.option("--endpoint", metavar="URL", help="Ask this SPARQL 1.1 server instead of the workspace.")
@_JSON
@click.pass_obj
def sparql(engine: Engine, query: str, endpoint: str | None, as_json: bool) -> None:
    """Answer a read-only SPARQL QUERY (text, or a file that holds it); prefixes are declared."""
    from ailineage import terminal

    if len(query) < 500 and Path(query).is_file():
        query = Path(query).read_text(encoding="utf-8")
    result = engine.sparql(query, endpoint=endpoint)
    if as_json:
        return _print([dict(zip(result.columns, row, strict=True)) for row in result.rows])
    click.echo(terminal.table(result.columns, result.rows))
    if result.cut:
        click.echo(f"cut after {len(result.rows)} rows; add LIMIT and OFFSET", err=True)
    return None


@cli.command()
@click.pass_obj
def validate(engine: Engine) -> None:
    """Check the library and the graph: form, references, dates, shapes."""
    findings = engine.validate()
    for finding in findings:
        click.echo(finding)
    if findings:
        raise UsageError(f"{len(findings)} findings")
    click.echo("clean")


# ---- implementations ----------------------------------------------------------------------------------------


@cli.command()
@_JSON
@click.pass_obj
def implementations(engine: Engine, as_json: bool) -> None:
    """List the runnable reference implementations."""
    found = engine.implementations()
    if as_json:
        return _print(
            [
                {
                    "id": item.id,
                    "node": item.node,
                    "title": dict(item.title),
                    "year": item.year,
                    "presets": dict(item.presets),
                    "demo": {"task": dict(item.demo.task), "metric": item.demo.metric, "target": item.demo.target},
                }
                for item in found.values()
            ]
        )
    for item in found.values():
        click.echo(f"{item.year}  {item.id:24} {item.title['en']} · {item.title['zh']}")
    return None


@cli.command()
@click.argument("id")
@click.option("--seed", default=0, show_default=True)
@click.option("--tiny", is_flag=True, help="The second-long version.")
@_JSON
@click.pass_obj
def run(engine: Engine, id: str, seed: int, tiny: bool, as_json: bool) -> None:
    """Run the demonstration of implementation ID."""
    item = engine.implementation(id)
    metrics: dict[str, float] = {}
    for step in engine.run(id, seed=seed, tiny=tiny):
        metrics = dict(step.metrics) or metrics
        if not as_json:
            numbers = "  ".join(f"{name} {value:.4g}" for name, value in step.metrics.items())
            click.echo(f"[{step.done:>5}/{step.total}] {numbers}" + (f"\n{step.sample}" if step.sample else ""))
    reached = item.demo.reached(metrics)
    if as_json:
        return _print({"id": id, "metrics": metrics, "target": item.demo.target, "reached": reached})
    click.echo(
        f"{item.demo.metric} {metrics[item.demo.metric]:.4g}, target {item.demo.target:.4g}: "
        f"{'reached' if reached else 'missed'}"
    )
    return None


@cli.command()
@click.argument("parent")
@click.argument("child")
@click.pass_obj
def diff(engine: Engine, parent: str, child: str) -> None:
    """Show what implementation CHILD changes against PARENT."""
    click.echo(engine.diff(parent, child))


# ---- measuring, training, serving ---------------------------------------------------------------------------


@cli.group(name="eval")
def eval_() -> None:
    """Measure answers, retrieval or extraction on a question set."""


@eval_.command()
@click.argument("file", type=click.Path())
@click.option("--out", required=True, type=click.Path(), metavar="REPORT.json")
@click.option("--no-model", is_flag=True, help="Measure the extractive answers.")
@click.option("--compare", is_flag=True, help="Also the base alone, no model, and no check; in the same run.")
@click.pass_obj
def qa(engine: Engine, file: str, out: str, no_model: bool, compare: bool) -> None:
    """Answer a question set and score it."""
    from ailineage.evaluation import MODES, evaluate_answers

    modes = ("extractive",) if no_model else MODES if compare else MODES[:1]
    report = evaluate_answers(engine, Path(file), Path(out), modes=modes)
    click.echo("\n".join(f"{name}: {value}" for name, value in report.items() if not isinstance(value, (dict, list))))
    for mode, figures in report["beside"].items():
        said = ", ".join(f"{name} {value}" for name, value in figures.items() if not isinstance(value, dict))
        click.echo(f"{mode}: {said}")


@eval_.command()
@click.argument("questions", type=click.Path(path_type=Path))
@click.argument("corpus", required=False, type=click.Path(path_type=Path))
@click.option("--stated", is_flag=True, help="Count any passage that states the answer, not only the one quoted.")
@click.option("--out", type=click.Path(path_type=Path), metavar="REPORT.json", help="Also write the whole report.")
@_JSON
@click.pass_obj
def retrieval(
    engine: Engine, questions: Path, corpus: Path | None, stated: bool, out: Path | None, as_json: bool
) -> None:
    """Recall of a question set over its CORPUS, or over the workspace if none is given."""
    from ailineage import retrieval_evaluation as evaluation

    if corpus:
        task = evaluation.over_corpus(engine, questions, corpus)
    else:
        task = evaluation.over_workspace(engine, questions, stated=stated)
    report = evaluation.measure(task)
    if out:
        evaluation.write(report, out)
    _print(report) if as_json else click.echo(evaluation.table(report))


@eval_.command()
@click.argument("nodes", type=click.Path(path_type=Path))
@click.argument("edges", type=click.Path(path_type=Path))
@click.option("--document", "named", multiple=True, metavar="PATH", help="Read these documents, not the workspace's.")
@click.option("--ablation", is_flag=True, help="Also without each part of the reading; of --document alone.")
@click.option("--out", type=click.Path(path_type=Path), metavar="REPORT.json", help="Also write the whole report.")
@_JSON
@click.pass_obj
def extraction(
    engine: Engine, nodes: Path, edges: Path, named: tuple[str, ...], ablation: bool, out: Path | None, as_json: bool
) -> None:
    """Entities and relations found in the workspace's documents, against annotations in NODES.csv and EDGES.csv."""
    from ailineage import extraction_evaluation as evaluation

    if ablation and not named:
        raise UsageError("--ablation: name the documents to read with --document")
    gold = evaluation.load(nodes, edges)
    report = evaluation.measure(evaluation.read(named) if named else engine.graph, gold)
    if out:
        evaluation.write(report, out)
    _print(report) if as_json else click.echo(evaluation.table(report))
    if ablation and not as_json:
        click.echo("\n" + evaluation.ablation(named, gold))


@cli.command()
@click.option("--epochs", default=2.0, show_default=True, type=click.FloatRange(min=0, min_open=True))
@click.option("--rank", default=16, show_default=True, type=click.IntRange(min=1), help="Rank of the adapter (LoRA).")
@click.option("--rate", default=3e-4, show_default=True, type=click.FloatRange(min=0, min_open=True))
@click.option("--at-once", type=click.IntRange(min=1), help="Examples in memory together (default: 1, on a GPU 16).")
@click.option("--generated", type=click.IntRange(min=0), help="Questions made from the graph, beside those by hand.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Stop after this time.")
@click.option("--seed", default=0, show_default=True)
@click.option("--start", type=click.Path(path_type=Path), metavar="DIR", help="An adapter to begin with.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the run (default: in the cache)."
)
@click.option("--resume", is_flag=True, help="Go on with the run in this folder.")
@click.option("--smoke", is_flag=True, help="A trial of a minute or two; its adapter is not used.")
@_JSON
@click.pass_obj
def train(
    engine: Engine, epochs: float, rank: int, rate: float, at_once: int | None, generated: int | None,
    minutes: float | None, seed: int, start: Path | None, out: Path | None, resume: bool, smoke: bool, as_json: bool,
) -> None:  # fmt: skip
    """Fine-tune the decoder on the library; this workspace answers with the result."""
    from dataclasses import asdict

    from ailineage.models.decoder.training.tuning import Settings

    settings = Settings(
        rank=rank, alpha=2 * rank, rate=rate, epochs=epochs, minutes=minutes, seed=seed, at_once=at_once
    )
    if smoke:
        settings = Settings(epochs=1, batch=4, evaluate_every=3, minutes=1.5, seed=seed, at_once=at_once)
        out = out or engine.workspace.cache / "training-smoke"
    measures = engine.train(
        settings, out=out, start=start, made=generated, only=12 if smoke else None, resume=resume, publish=not smoke
    )
    if as_json:
        return _print([asdict(measure) for measure in measures])
    click.echo("step  examples  minutes  loss  held-out loss  declines rightly  cites rightly")
    for m in measures:
        click.echo(
            f"{m.step:4}  {m.seen:8}  {m.minutes:7.1f}  {m.training_loss:4.2f}  {m.loss:13.3f}  {m.declined:16.0%}"
            f"  {m.cited:13.0%}"
        )
    return None


@cli.command()
@click.option("--port", default=8501, show_default=True)
@click.pass_obj
def ui(engine: Engine, port: int) -> None:
    """Serve the app on this machine."""
    from ailineage.ui.serve import serve

    engine.ensure()
    serve(engine.workspace.root, port)


@cli.command()
@_JSON
@click.pass_obj
def doctor(engine: Engine, as_json: bool) -> None:
    """Say what is installed, what the workspace holds, and what is missing."""
    report = engine.doctor()
    if as_json:
        return _print(report)
    for section, entries in report.items():
        click.echo(section)
        for name, value in entries.items():
            click.echo(f"  {name}: {value}")
    return None


if __name__ == "__main__":
    main()
