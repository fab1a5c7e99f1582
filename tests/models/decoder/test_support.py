"""Questions that must be refused, and their neighbours that must not."""

from dataclasses import replace

import pytest

from ailineage.models.decoder.answer import Done, answer


def dated(library, text, node, date):
    return library.evidence(text, node, relation="published_on", value=date)


@pytest.fixture
def evidence(library, perceptron):
    return [
        *perceptron,
        library.evidence("AlexNet won the ImageNet contest in 2012.", "alexnet", relation="won", object="imagenet"),
        dated(library, "VGG-16 was first published on September 4, 2014.", "vgg", "2014-09-04"),
        library.evidence("BERT was developed by Google.", "bert", relation="developed_by", object="google"),
        dated(library, "BERT was first published on October 11, 2018.", "bert", "2018-10-11"),
        library.evidence("GPT was developed by OpenAI.", "gpt", relation="developed_by", object="openai"),
    ]


def ask(library, evidence, question, **fields):
    bundle = library.bundle(question, evidence, **fields)
    (*_, done) = answer(bundle, None, nodes=library.knowledge.nodes, claims=library.claims)
    assert isinstance(done, Done)
    return done.answer


@pytest.mark.parametrize("question", ["how tall is mount everest?", "附近有什么好吃的火锅店", "best pizza in town"])
def test_outside_the_field(library, evidence, question) -> None:
    far = [replace(item, signals={"dense": 0.78, "bm25": 0.0}) for item in evidence]
    said = ask(library, far, question)
    assert said.refused
    assert not said.citations
    assert ("无法" if said.language == "zh" else "cannot") in said.answer


@pytest.mark.parametrize(
    "question",
    [
        "Who at Google Brain published the perceptron in 2017?",
        "VGG-16是怎么在2012年ImageNet上打败AlexNet拿冠军的?",
        "Which year did BERT win ImageNet?",
        "Why did OpenAI develop BERT?",
        "OpenAI 为什么开发 BERT？",
        "Who proposed the perceptron in 1987?",
        "How did BERT win ImageNet in 2012?",
    ],
)
def test_false_premises_are_corrected_with_a_citation(library, evidence, question) -> None:
    said = ask(library, evidence, question)
    assert said.refused
    assert ("前提有误" if said.language == "zh" else "not supported") in said.answer
    assert said.citations
    assert said.sentences[-1].citations == (1,)


@pytest.mark.parametrize(
    "question",
    [
        "Who proposed the perceptron in 1957?",
        "Did Rosenblatt propose the perceptron?",
        "Why did Google develop BERT in 2018?",
        "How did AlexNet win ImageNet in 2012?",
        "Who developed BERT?",
        "谁开发了 BERT？",
    ],
)
def test_true_premises_are_answered(library, evidence, question) -> None:
    said = ask(library, evidence, question)
    assert not said.refused
    assert said.citations


def test_unknown_subject(library, evidence) -> None:
    said = ask(library, evidence, "Who developed Foobarnet?", unknown=("Foobarnet",))
    assert said.refused
    assert "Foobarnet" in said.answer


def test_plausible_but_absent(library, evidence) -> None:
    said = ask(library, evidence, "How many parameters does BERT have?")
    assert said.refused
    assert "BERT" in said.answer


@pytest.mark.parametrize("question", ["how much did BERT cost in dollars?", "BERT 训练花了多少钱", "BERT 有几位用户"])
def test_what_no_sentence_can_answer_is_missing(library, evidence, question) -> None:
    said = ask(library, evidence, question)
    assert said.refused
    assert ("没有说明" if said.language == "zh" else "do not say") in said.answer


@pytest.mark.parametrize("question", ["Why does AlexNet use BERT?", "AlexNet 为什么要用 BERT？"])
def test_things_that_are_nowhere_named_together_have_no_answer(library, evidence, question) -> None:
    said = ask(library, evidence, question, apart=(("alexnet", "bert"),))
    assert said.refused
    assert "AlexNet" in said.answer
    assert "BERT" in said.answer
    assert said.citations
    assert not ask(library, evidence, question).refused


@pytest.mark.parametrize(
    "question", ["AlexNet vs BERT?", "What are AlexNet and BERT?", "AlexNet、BERT 是什么", "BERT和AlexNet有何不同"]
)
def test_things_that_are_only_compared_or_listed_may_be_apart(library, evidence, question) -> None:
    assert not ask(library, evidence, question, apart=(("alexnet", "bert"),)).refused


def test_an_abbreviation_in_small_letters_is_in_the_field(library, evidence) -> None:
    far = [replace(item, signals={"dense": 0.78, "bm25": 0.0}) for item in evidence]
    far.append(replace(library.evidence("CASP 是两年一届的盲测，检验结构预测。", None), signals={"dense": 0.78}))
    assert not ask(library, far, "casp 是个什么活动", nodes=()).refused
    assert ask(library, far, "rugby 是个什么活动", nodes=()).refused


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How many parameters does GPT have?", "The report does not disclose the number of parameters of GPT."),
        ("GPT 有多少参数？", "报告没有公布 GPT 的参数量。"),
    ],
)
def test_what_was_never_made_known_is_said_to_be_so(library, evidence, question, text) -> None:
    said = ask(library, [*evidence, library.evidence(text, "gpt")], question)
    assert said.refused
    assert text.rstrip("。.") in said.sentences[-1].text


@pytest.mark.parametrize("question", ["What is Geoffrey Hinton's phone number?", "辛顿的邮箱是多少？"])
def test_nobody_is_reached_through_the_documents(library, evidence, question) -> None:
    assert ask(library, [*evidence, library.evidence("Hinton taught in Toronto.", "hinton")], question).refused


def test_nothing_found(library) -> None:
    assert ask(library, [], "What is BERT?").refused
