"""The closed vocabulary of the graph: node kinds, relations, families, and their names in both languages.

An unknown term raises: a typo in an article or an extractor must never become a new kind of edge.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Self

from ailineage.errors import VocabularyError


class _Closed(StrEnum):
    @classmethod
    def parse(cls, term: str) -> Self:
        """The member called `term`.

        Raises:
            VocabularyError: if the vocabulary has no such term.
        """
        try:
            return cls(term)
        except ValueError:
            known = ", ".join(sorted(cls))
            raise VocabularyError(f"unknown {cls.__name__.lower()} {term!r}; known are: {known}") from None


class Kind(_Closed):
    """What a node is."""

    MODEL = "model"
    TECHNIQUE = "technique"
    PAPER = "paper"
    PERSON = "person"
    ORGANIZATION = "organization"
    DATASET = "dataset"
    TASK = "task"
    EVENT = "event"
    CONCEPT = "concept"
    SOFTWARE = "software"


class Relation(_Closed):
    """How a node stands to another node or to a literal; read `subject relation object`."""

    INTRODUCED_IN = "introduced_in"
    AUTHORED_BY = "authored_by"
    PROPOSED_BY = "proposed_by"
    DEVELOPED_BY = "developed_by"
    PUBLISHED_ON = "published_on"
    BUILDS_ON = "builds_on"
    VARIANT_OF = "variant_of"
    PART_OF = "part_of"
    USES = "uses"
    SUCCEEDED_BY = "succeeded_by"
    INFLUENCED_BY = "influenced_by"
    TRAINED_ON = "trained_on"
    EVALUATED_ON = "evaluated_on"
    ADDRESSES = "addresses"
    HAS_PARAMETERS = "has_parameters"
    WON = "won"


class Family(_Closed):
    """The branch of history a node is drawn in; the lanes of the explorer, in the order they are drawn."""

    SYMBOLIC = "symbolic"
    STATISTICAL = "statistical"
    FOUNDATIONS = "foundations"
    TRAINING = "training"
    CONVOLUTIONAL = "convolutional"
    PERCEPTION = "perception"
    RECURRENT = "recurrent"
    EMBEDDINGS = "embeddings"
    TRANSFORMER = "transformer"
    ENCODERS = "encoders"
    DECODERS = "decoders"
    EFFICIENCY = "efficiency"
    ALIGNMENT = "alignment"
    AGENTS = "agents"
    GENERATION = "generation"
    MULTIMODAL = "multimodal"
    RENDERING = "rendering"
    SPEECH = "speech"
    REINFORCEMENT = "reinforcement"
    SCIENCE = "science"


class Label(NamedTuple):
    """A term's name in both languages."""

    en: str
    zh: str


KIND_LABELS: dict[Kind, Label] = {
    Kind.MODEL: Label("model", "模型"),
    Kind.TECHNIQUE: Label("technique", "技术"),
    Kind.PAPER: Label("paper", "论文"),
    Kind.PERSON: Label("person", "人物"),
    Kind.ORGANIZATION: Label("organization", "机构"),
    Kind.DATASET: Label("dataset", "数据集"),
    Kind.TASK: Label("task", "任务"),
    Kind.EVENT: Label("event", "事件"),
    Kind.CONCEPT: Label("concept", "概念"),
    Kind.SOFTWARE: Label("software", "软件"),
}

RELATION_LABELS: dict[Relation, Label] = {
    Relation.INTRODUCED_IN: Label("introduced in", "出自"),
    Relation.AUTHORED_BY: Label("authored by", "作者"),
    Relation.PROPOSED_BY: Label("proposed by", "提出者"),
    Relation.DEVELOPED_BY: Label("developed by", "研发机构"),
    Relation.PUBLISHED_ON: Label("published on", "发表时间"),
    Relation.BUILDS_ON: Label("builds on", "建立在"),
    Relation.VARIANT_OF: Label("variant of", "变体于"),
    Relation.PART_OF: Label("part of", "属于"),
    Relation.USES: Label("uses", "使用"),
    Relation.SUCCEEDED_BY: Label("succeeded by", "后继者"),
    Relation.INFLUENCED_BY: Label("influenced by", "受影响于"),
    Relation.TRAINED_ON: Label("trained on", "训练数据"),
    Relation.EVALUATED_ON: Label("evaluated on", "评测于"),
    Relation.ADDRESSES: Label("addresses", "面向"),
    Relation.HAS_PARAMETERS: Label("has parameters", "参数量"),
    Relation.WON: Label("won", "赢得"),
}

FAMILY_LABELS: dict[Family, Label] = {
    Family.SYMBOLIC: Label("Symbolic AI", "符号主义"),
    Family.STATISTICAL: Label("Statistical learning", "统计学习"),
    Family.FOUNDATIONS: Label("Neural foundations", "神经网络基础"),
    Family.TRAINING: Label("Training techniques", "训练技术"),
    Family.CONVOLUTIONAL: Label("Convolutional networks", "卷积网络"),
    Family.PERCEPTION: Label("Detection and segmentation", "检测与分割"),
    Family.RECURRENT: Label("Recurrent networks", "循环网络"),
    Family.EMBEDDINGS: Label("Embeddings", "嵌入表示"),
    Family.TRANSFORMER: Label("Attention and Transformer", "注意力与 Transformer"),
    Family.ENCODERS: Label("Encoder language models", "编码器语言模型"),
    Family.DECODERS: Label("Generative language models", "生成式语言模型"),
    Family.EFFICIENCY: Label("Efficiency and systems", "效率与系统"),
    Family.ALIGNMENT: Label("Alignment and reasoning", "对齐与推理"),
    Family.AGENTS: Label("Retrieval and agents", "检索与智能体"),
    Family.GENERATION: Label("Generative vision", "视觉生成"),
    Family.MULTIMODAL: Label("Vision and language", "视觉与语言"),
    Family.RENDERING: Label("3D scenes", "三维场景"),
    Family.SPEECH: Label("Speech and audio", "语音与音频"),
    Family.REINFORCEMENT: Label("Reinforcement learning", "强化学习"),
    Family.SCIENCE: Label("AI for science", "科学智能"),
}

LITERAL = frozenset({Relation.PUBLISHED_ON, Relation.HAS_PARAMETERS})
"""Relations whose object is a literal (a date, a count), not a node."""

LINEAGE = frozenset({Relation.BUILDS_ON, Relation.VARIANT_OF, Relation.SUCCEEDED_BY, Relation.INFLUENCED_BY})
"""Relations that make a family tree. `succeeded_by` runs from parent to child, the others from child to parent."""

FUNCTIONAL = frozenset({Relation.PUBLISHED_ON})
"""Relations with one right value per subject: two different values contradict each other."""

RANGE: dict[Relation, frozenset[Kind]] = {
    Relation.INTRODUCED_IN: frozenset({Kind.PAPER}),
    Relation.AUTHORED_BY: frozenset({Kind.PERSON, Kind.ORGANIZATION}),
    Relation.PROPOSED_BY: frozenset({Kind.PERSON, Kind.ORGANIZATION}),
    Relation.DEVELOPED_BY: frozenset({Kind.ORGANIZATION, Kind.PERSON}),
    Relation.TRAINED_ON: frozenset({Kind.DATASET, Kind.TASK, Kind.MODEL}),
    Relation.EVALUATED_ON: frozenset({Kind.DATASET, Kind.TASK, Kind.EVENT}),
    Relation.ADDRESSES: frozenset({Kind.TASK, Kind.CONCEPT}),
    Relation.WON: frozenset({Kind.EVENT, Kind.DATASET, Kind.TASK}),
}
"""The kinds a relation's object may have; a relation that is not listed takes any kind."""
