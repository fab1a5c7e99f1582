"""Names that the library does not know, as a document uses them: what each names, and of what kind.

    # DPR (on a page about a model)                     a model
    Dense Passage Retrieval (DPR)                       a name and what it is short for
    Qwen3-VL, ConvBERT, Gemma 2                         names with capitals inside or a version
    *束搜索*（beam search）                              a term and its English name
    the OSCAR corpus; WikiText-2数据集                  data sets
    uses multigroup attention; for depth estimation     techniques and tasks in small words
    [Attention Is All You Need](.../1706.03762)         a paper; 论文《...》 and reference lists too
    大卫·鲁梅尔哈特（David Rumelhart）                    a person

Everything is read from the document and the library's lexicon alone.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ailineage.corpus.acronym import stands_for
from ailineage.kg.identity import Lexicon, fold
from ailineage.kg.model import Node
from ailineage.kg.patterns import ITEM, LIST_ITEM
from ailineage.kg.reading import Block
from ailineage.kg.vocabulary import Kind

RELEASED = re.compile(r"^This model was (?:released|published|contributed)\b.{0,80}?\badded to\b")
"""The line that opens a page about a model."""
_GIVEN = r"(?:(?:[A-ZÀ-Þ]\.-?)+|[A-ZÀ-Þ][A-Za-zÀ-ɏ'’-]*)"
PERSON = rf"{_GIVEN}(?:\s(?:{_GIVEN}|van|von|der|den|de|la|le|da|dos|di|el|bin|al)){{1,4}}"
"""A person's name: given names and surname."""
_SMALL = frozenset("a an the and of for in with".split())
_LEFT = re.compile(
    r"(?<![\w'’/-])(?P<long>[A-Za-z][\w'’/-]*(?: [A-Za-z][\w'’/-]*){0,9})\s?[(（](?P<short>[A-Z][\w.-]{0,14}?)s?[)）]",
    re.A,
)
_RIGHT = re.compile(
    r"(?<![\w-])(?P<short>[A-Z][\w.-]{1,14})\s?[(（](?P<long>[A-Za-z][\w'’/-]*(?: [A-Za-z][\w'’/-]*){0,9})[,，)）]",
    re.A,
)
_GLOSS = re.compile(
    r"(?P<zh>[\u4e00-\u9fff][\u4e00-\u9fffA-Za-z0-9 －·-]{1,15})\s?[(（](?P<en>[A-Za-z][A-Za-z0-9 '’/-]{2,60}?)"
    r"(?:\s?[,，、;；]\s?(?:简称|缩写为?|即)?\s?(?P<short>[A-Z][\w-]{1,11}))?[)）]"
)
_TOKEN = re.compile(r"(?<![\w/@#.\\$-])[A-Za-zα-ω][A-Za-z0-9α-ω]*(?:[-.+/][A-Za-z0-9α-ω]+)*\+*(?![\w(\\]|\.\w)", re.A)
_VERSIONED = re.compile(
    r"(?<![\w-])(?P<base>[A-Z][\w-]*)\s(?P<v>[vV]?\d(?:\.\d+)?)(?![\w%.,-]*\d|\s?(?:\w{1,2}\b|%|×|x\b))", re.A
)
_CODE_NAME = re.compile(
    r"For[A-Z]\w+$|(?:Model|Config|Tokenizer|TokenizerFast|Processor|ProcessorFast|Extractor|Output|Pipeline|Mixin|Head|Layer|"
    r"Trainer|Callback|Args|Arguments|Cache|Loader|Dataset|Block|Module|Fast)$|^(?:Auto|TF|Flax)[A-Z]|^nn\."
)
_PLAIN = frozenset(
    "github gitlab youtube javascript typescript linkedin huggingface openreview arxiv iphone ipad macos ios wifi id ids "
    "gpus cpus tpus gpu cpu tpu llms vlms lms mlps cnns rnns a100 h100 v100 p100 t4 a10g rtx fp16 fp32 fp8 bf16 bfloat16 "
    "float16 float32 int8 int4 uint8 utf-8 utf8 python2 python3 cuda11 cuda12 x86 mp3 mp4 top-1 top-5 covid-19 phd readme "
    "todo q&a i/o tl;dr b.c ph.d u.s e.g i.e dr mr ms no rgb jpeg png pdf html css json yaml csv url http https api apis "
    "md5 sha1 sha256 base64 latex 2d 3d 1d 4d nvidia wechat weibo csdn mooc iq eq vs vp pm am f1 r2 miou map bleu rouge wer cer fid psnr ssim ap50 ap75 auc roc tflops gflops khz ghz mhz kb mb gb tb kv qkv qk ok tts-1 "
    "powerpoint macbook ubuntu16 windows10 v1 v2 v3 v4 s1 s2 t1 t2 x1 x2 h1 h2 w1 w2 c1 c2 q1 q2 k1 k2".split()
)
"""What looks like a name and is none of AI: units, formats, devices, sites."""
_TITLE_LINK = re.compile(
    r"/papers/|arxiv\.org|/abs/|doi\.org|openreview\.net|aclanthology|\.pdf|papers\.nips|proceedings", re.I
)
_ZH_TITLE = re.compile(
    r"(?:论文|文章|著作|报告|一文|发表|研究)[^《》。\n]{0,12}《(?P<t>[^《》\n]{4,160})》|《(?P<u>[A-Z][^《》\n\u4e00-\u9fff]{12,160})》"
)
_QUOTED = re.compile(
    r"(?:\bpaper|论文|文章)[^.。“”\"\n]{0,25}[“\"](?P<t>[^“”\"\n]{12,160})[”\"]|[“\"](?P<u>[A-Z][^“”\"\n]{12,160}?)[.,]?[”\"]"
)
_BY = re.compile(r"(?:[,.]\sby\s[A-Z].*|\sby\s[A-Z][^,]*(?:,| et al).*|\s[(（][^()（）]*\b(?:19|20)\d\d[)）])$")
_BY_NAMES = re.compile(
    rf"[)\]”\"]*\s?(?:\([^()]{{0,40}}\)\s?)?,?\s*(?:written |published )?by\s+(?:the\s)?(?P<n>{PERSON}[*†∗]*(?:\s*(?:,\s*and|,\s*&|,|and|&)\s+{PERSON}[*†∗]*)*)"
)
_AND = re.compile(r"\s*(?:,\s*and\b|,\s*&|,|\band\b|&|;)\s*")
_INVERTED = re.compile(
    r"(?P<last>[A-ZÀ-Þ][a-zA-ZÀ-ɏ'’-]+), (?P<first>[A-ZÀ-Þ][a-zA-ZÀ-ɏ'’-]+(?: [A-Z]\.?)*)(?=[,;&.]|\sand\b|\s\()"
)
_ENTRY = re.compile(r"^\s*\[\d{1,3}\]\s")
_ENTRY_PLAIN = re.compile(r"[(（]\d{4}[a-z]?[)）]\.?\s(?P<t>[A-Z][^.\n]{12,160})\.")
_WITH_NAME = re.compile(
    r"(?P<zh>[\u4e00-\u9fff]{1,5}(?:·[\u4e00-\u9fff]{1,6}){1,2})\s?[(（](?P<en>" + PERSON + r")(?:[)）]|[,，、])"
)
_ORGANIZATION = re.compile(
    r"(?<![\w-])(?:University of (?:[A-Z][\w-]+\s?){1,3}(?<!\s)|(?:[A-Z][\w-]+ ){1,3}(?:University|Institute|Laboratory|Laboratories|Labs|Research)"
    r"(?: of (?:[A-Z][\w-]+\s?){1,2}(?<!\s))?)",
    re.A,
)
_DATASET = re.compile(
    r"(?<![\w-])(?P<n>[A-Z][\w-]*(?: (?:[A-Z0-9][\w-]*|of|the)){0,4}(?<! of)(?<! the))\s(?:dataset|corpus|benchmark|challenge|data set)s?\b"
    r"|(?P<z>[A-Z][\w-]*(?: [A-Z0-9][\w-]*){0,3})\s?(?:数据集|语料库|基准测试|数据库)",
    re.A,
)
_NO_DATASET = frozenset(
    "the this these a an our we it its in on for from with all both many other each new large several fine-tuning pre-training "
    "training test evaluation nlp cv vqa ocr qa custom hugging face".split()
)
_TASKS = frozenset("NER NLI VQA OCR QA ASR TTS NLP LLM CV NMT STS RE IE".split())
_HEADS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.DATASET, re.compile(r"(?:dataset|corpus|benchmark|challenge|treebank|database)s?$|数据集$|语料库$|数据库$", re.I)),
    (Kind.ORGANIZATION, re.compile(r"(?:university|institute|laborator(?:y|ies)|labs?|company)$|大学$|公司$|研究[院所]$|实验室$", re.I)),
    (Kind.TASK, re.compile(
        r"(?:recognition|detection|segmentation|translation|classification|answering|summari[sz]ation|captioning|retrieval"
        r"|understanding|analysis|inference|estimation|completion|forecasting|labeling|tagging|parsing|generation|restoration|super-resolution)s?$"
        r"|识别$|检测$|分割$|翻译$|分类$|回答$|问答$|摘要$|检索$|理解$|分析$|推断$|推理$|标注$|生成$", re.I)),
    (Kind.MODEL, re.compile(
        r"(?:models?|networks?|nets?|transformers?|autoencoders?|machines?|perceptrons?|encoders?|decoders?)$|网络$|模型$|感知机$|感知器$|编码器$|解码器$", re.I)),
    (Kind.TECHNIQUE, re.compile(
        r"(?:blocks?|layers?|units?|gates?|pooling|convolutions?|kernels?|algorithms?|methods?|regulari[sz]ation|normali[sz]ation|attention"
        r"|embeddings?|encodings?|search|descent|sampling|suppression|loss|optimi[sz]er|softmax|augmentation|pre-?training|fine-?tuning|sampling)$"
        r"|[块层门]$|单元$|模块$|汇聚$|池化$|卷积$|算法$|方法$|正则化$|规范化$|归一化$|注意力$|编码$|搜索$|下降$|采样$|抑制$|损失$|增广$|增强$|训练$|微调$", re.I)),
    (Kind.CONCEPT, re.compile(r"(?:bias|field|space|theorem|problem|distribution|state|hypothesis|learning|intelligence|states)$|问题$|空间$|分布$|状态$|定理$|学习$|智能$", re.I)),
)  # fmt: skip
_AFTER: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.DATASET, re.compile(r"^\s?(?:[\w-]+\s)?(?:datasets?|corpus|corpora|benchmarks?|leaderboard|test set|数据集|语料|基准|数据库)")),
    (Kind.SOFTWARE, re.compile(r"^\s?(?:librar(?:y|ies)|frameworks?|toolkit|package|repository|库|框架|工具包|平台)")),
    (Kind.ORGANIZATION, re.compile(r"^\s?(?:team|researchers|organization|Inc\b|公司|团队|实验室)")),
    (Kind.TECHNIQUE, re.compile(
        r"^\s?(?:attention|optimi[sz]ers?|algorithms?|loss|activations?|tokeni[sz]ers?|normali[sz]ation|embeddings?|method|objective|scheduler"
        r"|算法|优化器|损失|激活|注意力|方法|技术|函数|归一化|机制)")),
    (Kind.MODEL, re.compile(r"^\s?(?:[\w-]+\s)?(?:models?|networks?|architecture|checkpoints?|backbone|encoder|decoder|模型|网络|架构)")),
)  # fmt: skip
_BEFORE_DATASET = re.compile(
    r"(?:\bon(?: the)?|datasets? (?:such as|like|including)|benchmarks? (?:such as|like|including)|benchmarks?,?)\s"
    r"(?:[A-Z][\w.+-]*(?: \w+)?,\s(?:and\s)?|[A-Z][\w.+-]*\sand\s)*(?:the\s)?$"
)
_TRIM_ZH = re.compile(
    r"^.*(?:一个|一种|的|是|为|叫作|称作|叫做|称为|使用|采用|提出|以及|和|与|及|或|了|在|将|把|被|有|以|对于|关于|通过|例如|比如|包括|如|即)(?=[\u4e00-\u9fffA-Za-z])"
)
_GENERAL = frozenset(
    "data input inputs output outputs model models train training target targets class classes parameter parameters policy "
    "learning algorithm algorithms example examples action actions entity cell scale shift confidence query queries key "
    "keys value values dataset datasets network networks background estimation observation hypothesis reward state states "
    "neutral premise image images text texts word words token tokens layer layers node nodes label labels feature features "
    "sample samples error errors loss source variable variables function functions vector vectors matrix tensor score "
    "weight weights bias task tasks system systems machine agent environment step steps epoch batch object objects "
    "attending consistency masked positionwise two-component channel channels offset length size width height type".split()
)
"""English words that a text glosses and that are no names: they would be found everywhere."""
_GENERIC = re.compile(r"(?:language|vision|generative|foundation|diffusion) models?$", re.I)
_TELLING = re.compile(
    r"(?:based (?:up)?on|buil[dt]s? (?:up)?on|extends|extension (?:of|to)|(?:version|variant) of|successor (?:of|to)|improves (?:up)?on|improvement over"
    r"|inspired by|derived from|predecessors?|follows|identical to|similar to|adaptation of|initiali[sz]ed (?:from|with)|基于|改进自|继承了|借鉴了?)"
    r"\s(?:(?:the|an?|its|original|standard|previous|popular|[\w’']+[’']s|[a-z][\w-]+)\s){0,7}$"
)
_COINED = re.compile(
    r"\b(?:introduces?|proposes?|presents?|called|named|dubbed|termed)\s(?:the\s)?(?P<n>[A-Z][\w-]*(?:\s[A-Z0-9][\w.-]*){0,3}?)(?=[,:(—–]|\s\(|\s(?:is|that|which|for|to)\b|,\san?\b)"
)
_PART_OF_NAME = (
    r"(?:[a-z][\w-]*\s){0,2}[a-z][\w-]*[\s-](?:attention|loss|normali[sz]ation|convolutions?|pooling|embeddings?|encodings?|distillation"
    r"|search|sampling|tokens?|masking|augmentation|regulari[sz]ation|scaling|pre-?training|fine-?tuning|tuning|quanti[sz]ation|pruning"
    r"|routing|gating|decoding|activations?|recurrence|decoder|layers?|optimi[sz]ation|learning|quer(?:y|ies))"
)
_DETERMINER = r"(?:an?\s(?:few\s)?|the\s|its\s|our\s|two\s|both\s)?"
_EMPLOYED = re.compile(
    r"\b(?:uses?|using|introduc(?:es?|ing)|propos(?:es?|ing)|presents?|employs?|employing|adopts?|mixes in|incorporates?|relies on"
    r"|learns|leverages?|utili[sz]es|ideas,|components,|[Tt]hrough|[Vv]ia)\s"
    rf"(?P<list>{_DETERMINER}{_PART_OF_NAME}(?:(?:,\sand|,|\sand)\s{_DETERMINER}{_PART_OF_NAME})*)(?![\w-]|\s(?:rate|schedule|vocabulary|curve|ids?)\b)"
)
_PROBLEM = re.compile(
    r"(?:\b(?:for|include|includes|including|like|such as|and|or|on|as)\s|,\s)(?P<n>(?:[a-z][\w-]*\s){1,3}(?:recognition|detection|segmentation"
    r"|classification|answering|summari[sz]ation|captioning|translation|retrieval|tracking|tagging|parsing|synthesis|restoration"
    r"|super-resolution|completion|forecasting|matching|grounding|generation|infilling|inpainting|estimation))(?![\w-])"
)
_ONLY = re.compile(r"(?<![\w-])(?P<part>[EeDd](?:n|e)coder)[ -]only(?![\w-])")
_TECHNIQUE = re.compile(
    rf"(?:^|,\sand\s|,\s|\sand\s){_DETERMINER}(?P<n>{_PART_OF_NAME})(?![\w-]|\s(?:rate|schedule|vocabulary|curve|ids?)\b)"
)
_NO_PART_OF_NAME = re.compile(
    r"\b(?:and|or|of|for|to|in|on|with|from|by|as|at|that|which|is|are|be|it|its|their|this|these|those|such|each|every|any|all|some"
    r"|no|not|same|other|only|also|into|than|more|most|less|further|during|when|while|where|like|own|many|much|we|they|however|has|have|over)\b"
)
_NO_MODIFIER = re.compile(r"\w+(?:ing|ly|ed|[^s]s)\s")
_PLAIN_ADJECTIVE = re.compile(
    r"^(?:(?:an?|the|its|our|new|novel|fast|faster|seamless|lightweight|accurate|robust|real-time|zero-shot|high-quality|downstream|so-called|traditional|conventional|optional|systematic|large-scale|simple|standard|different|multiple|several|various|large|larger|small|smaller|additional|extra|single|special"
    r"|specific|powerful|efficient|effective|improved|better|deep|deeper|full|fully|first|second|last|final|pretrained|pre-trained|learned"
    r"|learnable|trainable|input|output|text|image|visual|model|two|three|four|existing|original|common|popular|modern|advanced|custom|separate)\s)+"
)
PAPER_AT = re.compile(r"(?:/papers/|arxiv\.org/(?:abs|pdf)/)(\d{4})\.(\d{4,5})")
"""An address of a paper on arXiv."""
_SIBLING = re.compile(r"^(?:\.{0,2}/)*(?:model_doc/)?(?P<n>[\w.-]+?)(?:\.md|\.html)?(?:#.*)?$")
_ACCOUNT = re.compile(r"^https?://(?:www\.)?(?:huggingface\.co|github\.com)/[\w.-]+/?$")
_MANY = 400  # names that one document may introduce


@dataclass
class _Met:
    """A name as it is met: what it is called, how often, and what its surroundings say of its kind."""

    names: dict[str, str] = field(default_factory=dict)
    aliases: list[str] = field(default_factory=list)
    kinds: Counter[Kind] = field(default_factory=Counter)
    times: int = 0
    sure: bool = False


@dataclass(frozen=True)
class Names:
    """The names a document introduces, and the titles of papers among them, longest first for the finder."""

    nodes: dict[str, Node]
    topic: str | None
    finder: re.Pattern[str] | None
    by_surface: Mapping[str, str]


NONE = Names({}, None, None, {})
"""No name at all."""


def unknown(blocks: Sequence[Block], lexicon: Lexicon, known: Mapping[str, Node]) -> Names:
    """The names of a document that the library does not know.

    Args:
        blocks: of the document.
        lexicon: the library's names.
        known: the library's nodes.
    """
    naming = _Naming(lexicon, known)
    page = any(RELEASED.match(block.text) for block in blocks[:3])
    title = next((block for block in blocks if block.level), None)
    topic = naming.title(title.text) if title is not None and page else None
    for block in blocks:
        naming.read(block)
    return naming.result(topic)


class _Naming:
    def __init__(self, lexicon: Lexicon, known: Mapping[str, Node]) -> None:
        self.lexicon, self.known = lexicon, known
        self.met: dict[str, _Met] = {}
        self.same: dict[str, str] = {}  # a folded surface: the folded name it is another name of
        self._knows: dict[str, bool] = {}
        self.linked: dict[str, str] = {}  # another way to write a name: the library's node

    def title(self, text: str) -> str | None:
        """What a page about a model is about: its folded title."""
        name = re.sub(r"\s*[(（].*[)）]\s*$", "", text).strip(" `")
        if not 1 < len(name) <= 60 or len(name.split()) > 6:
            return None
        self._add(name, Kind.MODEL, alias=text.strip() if text.strip() != name else None, weight=50, sure=True)
        return fold(name)

    def read(self, block: Block) -> None:
        """Note the names of one block."""
        text = block.text
        if _ENTRY.match(text):
            return self._papers(block)
        if LIST_ITEM.match(text) and (item := ITEM.match(text)):
            if not self.lexicon.find(item["name"]):
                self._add(item["name"], Kind.MODEL, sure=True)
            title = re.sub(r"^[\d./-]+\s*", "", text[item.end() :].strip())
            papers = self.lexicon.lookup(f"{item['name']}: {title}", typos=False) if len(title.split()) > 3 else ()
            if len(papers) == 1:
                self.linked[title] = papers[0]
        self._glosses(block)
        spans = self._acronyms(text)
        self._papers(block)
        self._datasets(text)
        for match in _WITH_NAME.finditer(text):
            self._add(match["en"], Kind.PERSON, zh=_TRIM_ZH.sub("", match["zh"]), sure=True)
        for match in _ORGANIZATION.finditer(text):
            if re.search(
                r"(?:\bby|\bfrom|\bat|\bof|和|的|由)\s(?:the\s|researchers\s(?:at|from)\s(?:the\s)?)?$|[,(（、]\s?$",
                text[: match.start()],
            ):
                self._add(match[0].strip(), Kind.ORGANIZATION, sure=True)
        self._techniques(text)
        self._tokens(block, spans)
        return None

    def _knows_it(self, name: str) -> bool:
        folded = fold(name)
        if folded not in self._knows:
            self._knows[folded] = bool(self.lexicon.lookup(name, typos=False))
        return self._knows[folded]

    def _add(
        self,
        name: str,
        kind: Kind,
        *,
        zh: str | None = None,
        alias: str | None = None,
        weight: int = 3,
        sure: bool = False,
    ) -> None:
        surfaces = [surface for surface in (name, zh, alias) if surface]
        if any(self._knows_it(surface) for surface in surfaces) or len(fold(name)) < 2:
            return
        key = next((self.same[fold(surface)] for surface in surfaces if fold(surface) in self.same), fold(name))
        met = self.met.setdefault(key, _Met())
        language = "zh" if re.search(r"[\u4e00-\u9fff]", name) else "en"
        met.names.setdefault(language, name)
        if zh:
            met.names.setdefault("zh", zh)
        for surface in surfaces:
            self.same[fold(surface)] = key
            if surface not in met.names.values() and surface not in met.aliases:
                met.aliases.append(surface)
        met.kinds[kind] += weight
        met.times += 1
        met.sure |= sure

    def _acronyms(self, text: str) -> list[tuple[int, int]]:
        """Note short names with what they stand for; returns where these stand."""
        spans: list[tuple[int, int]] = []
        if "(" not in text and "（" not in text:
            return spans
        for pattern in (_LEFT, _RIGHT):
            for match in pattern.finditer(text):
                short, words = match["short"], match["long"].split(" ")
                begins = range(max(1, len(words) - 1)) if pattern is _LEFT else range(1)
                for begin in begins:
                    long = " ".join(words[begin:])
                    if stands_for(short, long) and words[begin].casefold() not in _SMALL:
                        spans.append(match.span("long"))
                        if self._knows_it(long) or self._knows_it(short):
                            break
                        kind = self._kind(long) or Kind.TECHNIQUE
                        kind = Kind.CONCEPT if _GENERIC.search(long) else kind
                        self._add(short, kind, alias=long, weight=4, sure=True)
                        break
        return spans

    def _glosses(self, block: Block) -> None:
        text = block.text
        if "（" not in text and "(" not in text:
            return
        strong = {stop for _, stop in block.strong}
        for match in _GLOSS.finditer(text):
            zh, en, short = match["zh"].strip(), match["en"].strip(), match["short"]
            sure = match.end("zh") in strong or any(abs(match.end("zh") - stop) <= 1 for stop in strong)
            if sure:
                start = max(begin for begin, stop in block.strong if abs(stop - match.end("zh")) <= 1)
                zh = text[start : match.end("zh")].strip()
            else:
                zh = _TRIM_ZH.sub("", zh)
            if len(zh) < 2 or not re.search(r"[\u4e00-\u9fff]", zh) or not re.search(r"[a-z]{3}|[A-Z]{2}", en):
                continue
            if re.fullmatch(PERSON, en) and "·" in zh:
                continue
            kind = self._kind(zh) or self._kind(en) or Kind.CONCEPT
            if (sure or self._kind(zh) or self._kind(en)) and en.casefold() not in _GENERAL:
                self._add(en, kind, zh=zh, alias=short, sure=sure)

    def _papers(self, block: Block) -> None:
        text = block.text
        for start, stop, target in block.links:
            title = _BY.sub("", text[start:stop]).strip()
            if _TITLE_LINK.search(target) and _titled(title):
                at = PAPER_AT.search(target)
                paper = f"paper-{at[1]}-{at[2]}" if at else ""
                if paper in self.known and not self._knows_it(title):
                    self.linked[title] = paper
                else:
                    self._add(title, Kind.PAPER, sure=True)
            if _TITLE_LINK.search(target) or "paper" in text[max(0, start - 30) : start]:
                self._people(text, stop)
        entry = _ENTRY.match(text)
        if entry:
            self._authors(text)
        if "《" in text:
            for match in _ZH_TITLE.finditer(text):
                self._add((match["t"] or match["u"]).strip(), Kind.PAPER, sure=True)
        if entry or "paper" in text or "论文" in text:
            for match in _QUOTED.finditer(text):
                title = (match["t"] or (match["u"] if entry else "") or "").strip(" .,")
                if len(title.split()) > 2 or re.search(r"[\u4e00-\u9fff]", title):
                    self._add(title, Kind.PAPER, sure=True)
        if entry and not re.search(r"[“\"]", text) and (plain := _ENTRY_PLAIN.search(text)):
            self._add(plain["t"].strip(), Kind.PAPER, sure=True)

    def _people(self, text: str, at: int) -> None:
        """The people listed after a title and `by`."""
        if match := _BY_NAMES.match(text, at):
            for name in _AND.split(match["n"]):
                if " " in name.strip():
                    self._add(name.strip(" *†∗"), Kind.PERSON, sure=True)

    def _authors(self, text: str) -> None:
        """The authors that open an entry of a reference list: `Vaswani, Ashish, et al.`, `Ashish Vaswani, Noam Shazeer`."""
        head = re.split(r"[“\"]|[(（]\d{4}|et al", text.replace("Mr ", "").replace("Dr. ", ""), maxsplit=1)[0]
        for match in _INVERTED.finditer(head):
            name = f"{match['first']} {match['last']}"
            nodes = self.lexicon.lookup(name, typos=False)
            if len(nodes) == 1:
                self.linked[match[0]] = nodes[0]
            else:
                self._add(name, Kind.PERSON, alias=match[0], sure=True)
        rest = _INVERTED.sub("", _ENTRY.sub("", head))
        for name in _AND.split(rest):
            if re.fullmatch(PERSON, name.strip(" .")):
                self._add(name.strip(" ."), Kind.PERSON, sure=True)

    def _datasets(self, text: str) -> None:
        for match in _DATASET.finditer(text):
            name = match["n"] or match["z"]
            words = name.split()
            while words and words[0].casefold() in _NO_DATASET:
                words = words[1:]
            name = " ".join(words)
            if (
                len(name) > 2
                and name not in _TASKS
                and not name.endswith(("-generated", "-based"))
                and (len(words) > 1 or re.search(r"[A-Z0-9].*[A-Z0-9]", name))
            ):
                self._add(name, Kind.DATASET, sure=True)

    def _techniques(self, text: str) -> None:
        """Note names of small words: of what is used or introduced (multigroup attention), of tasks (depth estimation)."""
        for match in _PROBLEM.finditer(text):
            name = _PLAIN_ADJECTIVE.sub("", match["n"])
            if " " not in name.strip() or _NO_PART_OF_NAME.search(name) or _NO_MODIFIER.match(name):
                continue
            if not self._knows_it(" ".join(name.split()[-2:])):  # universal image segmentation is image segmentation
                self._add(name, Kind.TASK, weight=2, sure=True)
        for only in _ONLY.finditer(text):
            self._add(f"{only['part'].casefold()}-only", Kind.TECHNIQUE, weight=2, sure=True)
        for employed in _EMPLOYED.finditer(text):
            for match in _TECHNIQUE.finditer(employed["list"]):
                name = _PLAIN_ADJECTIVE.sub("", match["n"])
                if " " in name.strip() and not _NO_PART_OF_NAME.search(name) and not name.endswith("ing learning"):
                    self._add(name, Kind.TECHNIQUE, weight=2, sure=True)

    def _tokens(self, block: Block, spans: list[tuple[int, int]]) -> None:
        text = block.text
        linked = {start for start, _, _ in block.links}
        for start, stop, target in block.links:
            name = text[start:stop].strip()
            page = _SIBLING.match(target)
            if page is None or not name[:1].isupper() or len(name.split()) > 4 or not (file := fold(page["n"])):
                continue
            if fold(name).startswith(file) or file.startswith(fold(name)):
                self._add(name, Kind.MODEL, sure=True)
        for match in _COINED.finditer(text):
            if match["n"].casefold() not in _GENERAL and not match["n"].isdigit() and len(match["n"]) > 2:
                self._add(match["n"], self._kind(match["n"]) or Kind.MODEL, sure=True)
        taken = [*spans, *(link[:2] for link in block.links if _ACCOUNT.search(link[2])), *block.code]
        for match in _VERSIONED.finditer(text):
            base, name = match["base"], f"{match['base']} {match['v']}"
            bases = self.lexicon.lookup(base, typos=False)
            if re.search(r"[A-Z][\w-]*\s$", text[: match.start()]):
                continue  # a longer name
            if fold(base) in self.same or any(self.known[id].kind is Kind.MODEL for id in bases if id in self.known):
                self._met(name, text, match.start(), match.end(), sure=True)
                taken.append(match.span())
        for match in _TOKEN.finditer(text):
            name = re.sub(r"-(?:[Ll]ike|[Bb]ased|[Ss]tyle|[Ss]pecific|[Ee]nabled|[Tt]rained|only)$", "", match[0])
            if not _named(name) or any(start <= match.start() < stop for start, stop in taken):
                continue
            self._met(name, text, match.start(), match.start() + len(name), sure=match.start() in linked)

    def _met(self, name: str, text: str, start: int, end: int, *, sure: bool) -> None:
        after, before = text[end : end + 30], text[max(0, start - 120) : start]
        kind = next((kind for kind, pattern in _AFTER if pattern.match(after)), None)
        telling = bool(_TELLING.search(before))
        if kind is None and not telling and _BEFORE_DATASET.search(before):
            kind = Kind.DATASET
        sure = (
            sure
            or kind is not None
            or telling
            or bool(re.match(r"\s?(?:is|was) (?:an?|the|our)\b|\s?是一[种个]", after))
        )
        self._add(name, kind or Kind.MODEL, weight=2 if kind else 1, sure=sure)

    @staticmethod
    def _kind(name: str) -> Kind | None:
        return next((kind for kind, pattern in _HEADS if pattern.search(name.strip())), None)

    def result(self, topic: str | None) -> Names:
        """The names that are sure or were met twice."""
        kept = [(key, met) for key, met in self.met.items() if met.sure or met.times > 1]
        kept.sort(key=lambda pair: -pair[1].times)
        nodes: dict[str, Node] = {}
        by_surface: dict[str, str] = {}
        surfaces: list[str] = []
        ids: dict[str, str] = {}
        for key, met in kept[:_MANY]:
            id = provisional_id(met.names.get("en") or next(iter(met.names.values())))
            kind = met.kinds.most_common(1)[0][0]
            node = Node(id, kind, dict(sorted(met.names.items())), tuple(met.aliases), provisional=True)
            nodes.setdefault(id, node)
            ids[key] = id
            for surface in node.surfaces:
                by_surface.setdefault(fold(surface), id)
                surfaces.append(surface)
        for surface, id in self.linked.items():
            by_surface.setdefault(fold(surface), id)
            surfaces.append(surface)
        about = None
        if topic is not None:
            about = ids.get(self.same.get(topic, topic)) or self._library(topic)
        surfaces.sort(key=len, reverse=True)
        return Names(dict(sorted(nodes.items())), about, _finder(surfaces), by_surface)

    def _library(self, topic: str) -> str | None:
        found = self.lexicon.lookup(topic, typos=False)
        works = [id for id in found if id in self.known and self.known[id].kind is not Kind.PAPER]
        return works[0] if works else None


def _finder(surfaces: Iterable[str]) -> re.Pattern[str] | None:
    patterns = [_spelled(surface) for surface in surfaces]
    return re.compile("|".join(patterns)) if patterns else None


def _spelled(surface: str) -> str:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)", " ", surface.strip())
    words = r"[\s-]?".join(re.escape(word) for word in re.split(r"[\s-]+", apart) if word)
    left = r"(?<![A-Za-z0-9])" if surface[0].isascii() and surface[0].isalnum() else ""
    right = r"(?![A-RT-Za-rt-z0-9]|s[A-Za-z0-9]|[-.]\d)" if surface[-1].isascii() and surface[-1].isalnum() else ""
    cased = re.search(r"\d|[a-z][A-Z]|[A-Z]{2}[a-z]", surface) and len(surface) > 3
    return f"{left}(?i:{words}){right}" if cased else f"{left}{words}{right}"


def _named(token: str) -> bool:
    """Whether a word looks like a name: capitals inside it, or capitals and a number."""
    if token.casefold() in _PLAIN or len(token) < 3 or len(token) > 40 or _CODE_NAME.search(token):
        return False
    if not re.search(r"[A-Z]", token) or re.fullmatch(r"[A-Z][a-z]+(?:[-/.][A-Z]?[a-z]+)*", token):
        return False
    if re.fullmatch(r"[A-Z]{2,}s?", token) or re.search(r"\.(?:py|md|json|txt|com|org|cn|io)$|[a-z]\.[a-z]", token):
        return False
    if re.search(r"[a-z][A-Z]|[A-Z]{2,}[a-z]{2}", token) and not re.search(r"/", token):
        return True
    if re.search(r"[a-z].*-[A-Z]{2,}|[A-Z]{2,}-.*[a-z]", token) and not re.match(
        r"(?:multi|non|pre|post|cross|single|mini|anti|inter)-", token, re.I
    ):
        return not re.search(r"[/]", token)
    return bool(re.search(r"[A-Za-z]{2}[A-Za-z-]*\d|[A-Z]\d", token) and re.search(r"^[A-Z]", token)) and not re.search(
        r"/", token
    )


def _titled(title: str) -> bool:
    words = title.split()
    if re.search(r"[\u4e00-\u9fff]|\bet al\b", title):
        return False
    return (
        len(words) > 2
        and len(title) <= 220
        and sum(word[:1].isupper() or len(word) < 5 for word in words) >= len(words) / 3
    )


def provisional_id(name: str) -> str:
    """An id of ASCII letters: from the name, or from its hash where it has none."""
    slug = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")
    if len(slug) < 2 or re.search(r"[^\x00-\x7f]", fold(name)):
        slug = "-".join(filter(None, (slug, hashlib.sha256(fold(name).encode()).hexdigest()[:10])))
    return "provisional-" + slug
