"""What the decoder is trained on, beside the questions written by hand."""

from ailineage.models.decoder.runtime.base import DECLINED
from ailineage.models.decoder.training import generated, written
from ailineage.models.decoder.training.examples import examples
from ailineage.models.decoder.training.written import Said, Written
from tests.retrieval.conftest import LetterEmbedder


def test_every_intent_has_thirty_phrasings_in_each_language() -> None:
    for intent, ways in generated.phrasings().items():
        for language in ("en", "zh"):
            assert len(ways[language]) >= 30, (intent, language)
            assert all("{n}" in way for way in ways[language])


def test_questions_are_made_of_claims_and_a_quarter_must_be_refused(small_graph) -> None:
    made = generated.questions(small_graph, ["transformer", "organization"], 40, seed=1)
    assert made == generated.questions(small_graph, ["transformer", "organization"], 40, seed=1)
    assert made != generated.questions(small_graph, ["transformer", "organization"], 40, seed=2)
    assert {question.language for question in made} == {"en", "zh"}
    assert any(question.refuse == "premise" for question in made)
    for question in made:
        for said in question.answer:
            document, start, end = said.spans[0]
            assert small_graph.documents[document].text[start:end]


def test_other_families_make_no_question(small_graph) -> None:
    assert generated.questions(small_graph, ["speech"], 40) == []


def _written(small_graph, refuse: str | None, quote: str, text: str) -> Written:
    document = small_graph.documents["bert.en"]
    start = document.text.index(quote)
    said = (Said(text, ((document.id, start, start + len(quote)),)),) if text else ()
    return Written("en", "fact", "When was BERT published?", ("bert",), said, (), refuse, "transformer")


def test_an_example_cites_the_evidence_that_was_found(small_graph, tmp_path) -> None:
    from ailineage.retrieval.retriever import Retriever

    Retriever.build(small_graph, LetterEmbedder(), tmp_path / "index", cache=tmp_path)
    retriever = Retriever.open(tmp_path / "index", small_graph, LetterEmbedder(), tmp_path)
    quote = "BERT was first published on October 11, 2018."
    answered = _written(small_graph, None, quote, "BERT was published on October 11, 2018.")
    absent = _written(small_graph, None, quote, "Bananas are yellow.")
    refused = _written(small_graph, "missing", quote, "")
    found = list(examples(retriever, [answered, absent, refused]))
    assert [one.refused for one in found] == [False, True]  # nothing shown says that bananas are yellow
    number = found[0].answer.strip()[-2]
    assert found[0].answer == f" BERT was published on October 11, 2018. [{number}]\n"
    assert f"[{number}] (BERT) {quote}" in found[0].prompt
    assert found[1].answer == f" {DECLINED['en']}\n"
    assert found[0].prompt.startswith("Evidence:")


def test_nothing_of_the_held_out_families_is_trained_on() -> None:
    names = {path.stem for path in written.FOLDER.glob("*.jsonl")}
    assert names & written.HELD_OUT
    assert names - written.HELD_OUT
