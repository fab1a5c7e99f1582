from dataclasses import replace

import pytest

from ailineage.models.decoder.answer import Checked, Done, Draft, answer
from ailineage.models.decoder.runtime.scripted import ScriptedDecoder
from ailineage.retrieval.evidence import Hop


def ask(library, bundle, decoder=None):
    events = list(answer(bundle, decoder, nodes=library.knowledge.nodes, claims=library.claims, retrieve_ms=5.0))
    assert isinstance(events[-1], Done)
    return events[-1].answer, events[:-1]


def well_formed(said) -> None:
    known = {citation.n for citation in said.citations}
    for sentence in said.sentences:
        assert sentence.text
        assert set(sentence.citations) <= known
        assert sentence.citations or said.refused
    assert [citation.n for citation in said.citations] == list(range(1, len(said.citations) + 1))


def test_without_a_model_the_evidence_answers(library, perceptron) -> None:
    said, events = ask(library, library.bundle("Who proposed the perceptron?", perceptron))
    well_formed(said)
    assert said.answer == "Perceptron was proposed by Frank Rosenblatt. [1]"
    assert said.model is None
    assert not events


def test_json_is_the_contract(library, perceptron) -> None:
    said, _ = ask(library, library.bundle("Who proposed the perceptron?", perceptron))
    json = said.to_json()
    assert list(json) == [
        "question", "language", "answer", "refused", "sentences", "citations", "path", "model", "timings_ms",
    ]  # fmt: skip
    assert json["sentences"] == [{"text": "Perceptron was proposed by Frank Rosenblatt.", "citations": [1]}]
    assert said.to_json(verdicts=True)["sentences"][0]["verdict"] == "quoted"
    assert json["language"] == "en"
    assert json["refused"] is False
    assert json["path"] is None
    assert json["citations"] == [
        {
            "n": 1,
            "node": "perceptron",
            "name": "Perceptron",
            "kind": "model",
            "evidence": [{"document": "perceptron.en", "start": 0, "end": 44, "text": perceptron[0].text}],
        }
    ]
    assert json["sentences"][0]["citations"] == [1]
    assert json["timings_ms"]["retrieve"] == 5.0
    assert json["timings_ms"]["total"] >= json["timings_ms"]["first_token"] >= 5.0


def test_the_model_speaks_where_it_is_right(library, perceptron) -> None:
    decoder = ScriptedDecoder(["The perceptron was proposed by Rosenblatt. [3]"])
    said, events = ask(library, library.bundle("Who proposed the perceptron?", perceptron), decoder)
    well_formed(said)
    assert said.answer == "The perceptron was proposed by Rosenblatt. [1]"
    assert said.sentences[0].written
    assert said.model == {"base": "scripted", "adapter": None}
    assert "".join(e.text for e in events if isinstance(e, Draft)).startswith("The perceptron")
    assert [e.verdict.supported for e in events if isinstance(e, Checked)] == [True]


@pytest.mark.parametrize(
    "wrong",
    [
        "The perceptron was proposed by Geoffrey Hinton. [1]",
        "The perceptron was proposed by Rosenblatt in 1987. [1]",
        "感知机由罗森布拉特提出，他是一位心理学家。[1]",
        "Bananas are yellow. [1]",
        "",
        "[1] [1] [1]",
        "It it it it it it it it it it. [1]",
    ],
)
def test_the_evidence_speaks_where_the_model_is_wrong(library, perceptron, wrong) -> None:
    said, _ = ask(library, library.bundle("Who proposed the perceptron?", perceptron), ScriptedDecoder([wrong]))
    well_formed(said)
    assert said.answer == "Perceptron was proposed by Frank Rosenblatt. [1]"


def test_a_wrong_marker_is_mended(library, perceptron) -> None:
    decoder = ScriptedDecoder(["The perceptron was proposed by Rosenblatt. [1]"])
    said, _ = ask(library, library.bundle("Who proposed the perceptron?", perceptron), decoder)
    assert said.citations[0].evidence[0].text == perceptron[0].text


def test_a_decoder_that_repeats_itself_is_stopped(library, perceptron) -> None:
    decoder = ScriptedDecoder(["The perceptron was proposed by Rosenblatt. [3] " * 50])
    _, events = ask(library, library.bundle("Who proposed the perceptron?", perceptron), decoder)
    assert sum(isinstance(event, Checked) for event in events) == 2


def test_chinese_question_from_english_evidence(library, perceptron) -> None:
    said, _ = ask(library, library.bundle("谁提出了感知机？", perceptron))
    well_formed(said)
    assert said.language == "zh"
    assert "感知机由罗森布拉特提出" in said.answer.replace(" ", "")


def test_text_of_the_other_language_is_quoted_and_said_to_be(library) -> None:
    evidence = [library.evidence("感知机用错误来修正自己的权重。", "perceptron")]
    said, _ = ask(library, library.bundle("How does the perceptron learn?", evidence))
    assert said.answer == "The source says, in Chinese: “感知机用错误来修正自己的权重”. [1]"


@pytest.mark.parametrize(
    ("question", "expected"),
    [("When was the perceptron published?", "January 1957"), ("感知机是什么时候发表的？", "1957 年 1 月")],
)
def test_when(library, perceptron, question, expected) -> None:
    assert expected in ask(library, library.bundle(question, perceptron))[0].answer


def test_a_path_has_a_sentence_a_hop(library) -> None:
    one = library.evidence(
        "Vision Transformer builds on Transformer: Cuts the image into patches.", "vit",
        relation="builds_on", object="transformer",
    )  # fmt: skip
    two = library.evidence(
        "Segment Anything Model builds on Vision Transformer: Adds prompts.", "sam", relation="builds_on", object="vit"
    )
    path = (
        Hop("transformer", "vit", "builds_on", "Cuts the image into patches.", one),
        Hop("vit", "sam", "builds_on", "Adds prompts.", two),
    )
    bundle = library.bundle("How did the Transformer lead to SAM?", [one, two], path=path)
    said, _ = ask(library, bundle)
    well_formed(said)
    assert [sentence.text for sentence in said.sentences] == [one.text, two.text]
    assert [step["citation"] for step in said.to_json()["path"]] == [1, 2]
    zh, _ = ask(library, replace(bundle, question="Transformer 是怎么一步步发展到 SAM 的？", language="zh"))
    assert zh.sentences[0].text == "ViT 建立在 Transformer 之上。"


def test_spans_are_cited_sentence_by_sentence(library) -> None:
    text = "BERT is a model that reads. It has twelve layers [4]. Nothing else."
    evidence = library.evidence(text, "bert", start=50)
    said, _ = ask(library, library.bundle("What is BERT?", [evidence]))
    span = said.citations[0].evidence[0]
    assert span.text == text[span.start - 50 : span.end - 50] == "BERT is a model that reads."
    assert "[4]" not in said.answer


def test_a_question_for_two_values_gets_both(library) -> None:
    when = library.evidence(
        "BERT was first published on October 11, 2018.", "bert", relation="published_on", value="2018-10-11"
    )
    who = library.evidence("BERT was developed by Google.", "bert", start=60, relation="developed_by", object="google")
    bundle = library.bundle("When was BERT published and which company developed it?", [when, who])
    said, _ = ask(library, bundle)
    assert [sentence.text for sentence in said.sentences] == [when.text, who.text]


def size(library, text, node, value, qualifier=None):
    return library.evidence(text, node, start=40, relation="has_parameters", value=value, qualifier=qualifier)


def test_each_of_several_things_asked_has_a_sentence(library, perceptron) -> None:
    sizes = [size(library, "BERT-large has 340 million parameters.", "bert", "340000000", "BERT-large")]
    parts = (library.bundle("Who proposed the perceptron", perceptron), library.bundle("how big is BERT", sizes))
    whole = library.bundle("Who proposed the perceptron, and how big is BERT?", [*perceptron, *sizes], parts=parts)
    said, _ = ask(library, whole)
    assert "Rosenblatt" in said.sentences[0].text
    assert any("340 million" in sentence.text for sentence in said.sentences)


def test_of_its_sizes_a_work_is_given_the_one_asked_for_else_the_largest(library) -> None:
    small = size(library, "BERT-base has 110 million parameters.", "bert", "110000000", "BERT-base")
    large = size(library, "BERT-large has 340 million parameters.", "bert", "340000000", "BERT-large")
    other = size(library, "GPT has 117 million parameters.", "gpt", "117000000")
    for question, first in (
        ("How many parameters do BERT and GPT have?", [large, other]),
        ("How many parameters does the smallest BERT have?", [small]),
        ("How many parameters does BERT-base have?", [small]),
    ):
        said, _ = ask(library, library.bundle(question, [small, large, other]))
        assert [sentence.text for sentence in said.sentences][: len(first)] == [item.text for item in first]


def test_all_sizes_are_listed_the_smallest_first(library) -> None:
    large = size(library, "BERT-large has 340 million parameters.", "bert", "340000000", "BERT-large")
    small = size(library, "BERT-base has 110 million parameters.", "bert", "110000000", "BERT-base")
    said, _ = ask(library, library.bundle("What model sizes does BERT come in?", [large, small]))
    assert [sentence.text for sentence in said.sentences] == [small.text, large.text]


def test_of_titles_the_one_by_the_people_named_comes_first(library) -> None:
    both, one = (
        library.evidence(text, "perceptron", start=40, relation="authored_by", object="rosenblatt")
        for text in (
            "“A Theory of Connected Machines” was written by Hinton and Rosenblatt.",
            "“The Machine That Perceives All” was written by Rosenblatt.",
        )
    )
    question = "What is the title of the paper by Hinton and Rosenblatt?"
    said, _ = ask(library, library.bundle(question, [one, both]))
    assert said.sentences[0].text == both.text


def test_two_things_compared_begin_with_the_step_between_them(library) -> None:
    step = library.evidence(
        "BERT builds on Transformer: keeps the encoder.", "bert", relation="builds_on", object="transformer"
    )
    other = library.evidence("Transformer has attention everywhere, and BERT has it too.", "transformer", start=90)
    said, _ = ask(library, library.bundle("How does BERT differ from the Transformer?", [other, step]))
    assert said.sentences[0].text == step.text


def test_who_proposed_it_is_said_before_who_wrote_the_paper(library) -> None:
    paper = library.evidence("提出感知机的《The Perceptron》由 Frank Rosenblatt 撰写。", "perceptron")
    said_so = library.evidence("感知机由罗森布拉特提出。", "perceptron", start=90)
    said, _ = ask(library, library.bundle("谁提出了感知机？", [paper, said_so]))
    assert [sentence.text for sentence in said.sentences] == [said_so.text]


def test_what_it_builds_on_and_what_builds_on_it_are_told_apart(library) -> None:
    up = library.evidence("BERT builds on Transformer.", "bert", relation="builds_on", object="transformer")
    down = library.evidence("Vision Transformer builds on BERT.", "vit", relation="builds_on", object="bert")
    first, _ = ask(library, library.bundle("What does BERT build on?", [down, up], nodes=("bert",)))
    assert [sentence.text for sentence in first.sentences] == [up.text]
    second, _ = ask(library, library.bundle("What builds on BERT?", [up, down], nodes=("bert",)))
    assert [sentence.text for sentence in second.sentences] == [down.text]


def tuned(*answers: str) -> ScriptedDecoder:
    decoder = ScriptedDecoder(answers)
    decoder.adapter = "tuned"
    return decoder


def test_what_a_tuned_decoder_writes_takes_the_place_of_what_it_says_again(library, perceptron) -> None:
    decoder = tuned("The perceptron is one single layer of weights with a threshold. [1] It learns from mistakes. [1]")
    said, _ = ask(library, library.bundle("What is the perceptron?", perceptron), decoder)
    well_formed(said)
    assert said.sentences[0].text == "The perceptron is one single layer of weights with a threshold."
    assert said.sentences[0].written
    assert said.model == {"base": "scripted", "adapter": "tuned"}
    assert "Shrdlu" not in decoder.prompts[0]  # the examples are for an untuned base


def test_a_sentence_that_does_not_stand_is_written_once_more(library, perceptron) -> None:
    decoder = tuned(
        "The perceptron was proposed by Rosenblatt. [4] The perceptron was published in 1987. [2]",
        " The perceptron is a single layer of weights. [1]",
    )
    said, _ = ask(library, library.bundle("What is the perceptron?", perceptron), decoder)
    assert "1987" not in said.answer
    assert decoder.prompts[1].startswith(decoder.prompts[0] + " The perceptron was proposed by Rosenblatt. [")


def test_a_tuned_decoder_that_lacks_the_value_gives_way_to_the_evidence(library, perceptron) -> None:
    decoder = tuned("The perceptron is a single layer of weights. [1]")
    said, _ = ask(library, library.bundle("When was the perceptron published?", perceptron), decoder)
    assert "January 1957" in said.answer


@pytest.mark.parametrize(
    ("wrote", "instead"),
    [
        ("Not in the evidence.", "What they do say: "),
        ("Not in the evidence. The perceptron was proposed by Rosenblatt. [3]", "The perceptron was proposed by"),
    ],
)
def test_a_tuned_decoder_may_decline_and_say_what_is_there(library, perceptron, wrote, instead) -> None:
    said, _ = ask(library, library.bundle("How does the perceptron cook rice?", perceptron), tuned(wrote))
    well_formed(said)
    assert said.refused
    assert said.sentences[0].text.startswith("I cannot answer this")
    assert instead in said.answer
    assert "Not in the evidence" not in said.answer


def test_an_untuned_base_cannot_decline(library, perceptron) -> None:
    decoder = ScriptedDecoder(["Not in the evidence."])
    said, _ = ask(library, library.bundle("Who proposed the perceptron?", perceptron), decoder)
    assert not said.refused


def test_unverified_sentences_stay_only_where_that_is_measured(library, perceptron) -> None:
    bundle = library.bundle("What is the perceptron?", perceptron)
    wrong = "The perceptron is a single layer of weights with a threshold by Geoffrey Hinton. [4]"
    events = list(answer(bundle, tuned(wrong), nodes=library.knowledge.nodes, claims=library.claims, verified=False))
    assert "Hinton" in events[-1].answer.answer
    checked, _ = ask(library, bundle, tuned(wrong))
    assert "Hinton" not in checked.answer
