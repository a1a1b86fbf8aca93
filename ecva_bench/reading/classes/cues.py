"""The words around a class that say what it is: the answer, a choice set aside, denied, an example, a count.

Patterns over plain text (`text.plain`), in the languages that answers are written in. Knows no class.
"""

from __future__ import annotations

import re


def any_of(words: str) -> str:
    """Return the pattern of any of some words, which blanks or line ends part; `_` stands for blanks within one."""
    return "(?:" + "|".join(word.replace("_", r"\s+") for word in words.split()) + ")"


# Behind these a class stands as the answer.
ANSWER_KEY = re.compile(
    r"(?<![a-z])"
    + any_of(
        """answers? predictions? predicted outputs? results? responses? verdict conclusion decision chosen selected
        selection pick best_fit best_match closest_match anwser answre asnwer awnser respuesta réponse reponse
        antwort risposta resposta ответ"""
    )
    + r"(?![a-z])|"
    + any_of("答案 回答 答え 정답은? 结论 结果 预测 답 答")
    + r"(?=[\s:=是为\[\"])"
)
CLASS_KEY = re.compile(
    r"(?<=[\"'])name(?=[\"']\s*:)|(?<!sub)(?<!sub-)(?<!sub )(?<!sub_)(?<![a-z])"
    + any_of(
        """class classes classification calss clas classs category categories categori[sz]ation
        cat[ae]g[oe]r(?:y|ies) categry catgory cateogry categroy label type option choice code klasse kategorie
        clase categor[ií]a classe cat[ée]gorie класс категория"""
    )
    + r"(?![a-z])|(?<!子)(?<!亚)"
    + any_of("类别 分类 大类 主类 类型 种类 选项 编号 クラス カテゴリー? 번호 분류 클래스")
)
EVENT_KEY = re.compile(
    r"(?<![a-z])(?:anomaly|abnormality|event|incident|crime|异常|事件)(?:[\s_-]*(?:type|class|category))?(?![a-z])"
)
SUB_KEY = re.compile(
    r"(?:sub[\s_-]*(?:class|category|type)|(?<![a-z])sub(?![a-z])|level\s?2|子类别?|亚类)"
    r"[\s_\"'-]*(?:number|id|name|code)?[\s\"']*(?:[:=是为]|is\b)?[\s\"'\[(]*"
)
QUALIFIER = re.compile(
    r"(?:[\s_-]*(?:number|no\.?|nr\.?|num|id|idx|index|code|name|label|#|编号|序号|号|名称)(?![a-z])|\s*\([^()\n]{0,40}\))*"
)
HEADING = re.compile(
    rf"(?:predicted|final|main|major|best)?\s*(?:{ANSWER_KEY.pattern}|{CLASS_KEY.pattern})[\s_]*(?:number|no\.?|id|name)?"
)
SEPARATOR = re.compile(r"[:=→|]|\b(?:is|are|be|was|es|est|ist|seems|appears)\b|[是为]")
FINAL_BEFORE = re.compile(r"(?:final|最终|最后)\W*(?:\w+\W+){0,2}$")
OTHER_BEFORE = re.compile(
    any_of(
        """secondary alternative alternate second other runner-?up next possible candidate excluded? rejected least
        previous wrong incorrect not_the severity risk damage weight social danger threat hazard 备选 其他 次要"""
    )
    + r"[\s_-]*(?:best|likely|possible)?[\s_-]*$"
)

# Ways to name a place in the list of classes.
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh")
ORDINAL = re.compile(
    rf"\b(\d{{1,2}}(?:st|nd|rd|th)|{'|'.join(ORDINALS)})\s+(?:class|category|option|type|item|entry)\b"
)
COUNTER = re.compile(
    r"第\s*([\d一二三四五六七八九十]{1,3})\s*(?:类|号|个?类别|项)|(?<![\d.])(?=\d)(\d{1,2})\s*(?:号类|类(?!型)|번)"
)
LISTED_AS = re.compile(r"(?<![a-z])(?:number|no\.|#)\s*(\d{1,2})(?=[\s.,;)]|$)(?!\s+(?:people|persons?|plate|bus|car))")
CHECKED = re.compile(r"(?:\[[x✓✔√]\]|[☑✅✔✓])\s*")

# Verbs and links before a class, and a predicate behind one.
CONCLUDING = re.compile(
    r"\b"
    + any_of(
        """described classified categori[sz]ed labell?ed identified characteri[sz]ed considered regarded seen
        recogni[sz]ed tagged coded interpreted filed placed put listed"""
    )
    + r"\s+(?:best\s+)?(?:as|under|in|into|to be)\b"
    r"|\b(?:falls?|fits?|belongs?|corresponds?|match(?:es)?|comes?|points?|leaves?|leaving)"
    r"(?:\s+(?:best|most\s+\w+|clearly|squarely|well))?(?:\s+(?:under|into|in|within|to|with))?\b"
    r"|\b"
    + any_of(
        """choose chose select(?:ed)? pick(?:ed)? go(?:ing)?_with went_with opt(?:ed)?_for say guess vote_for
        lean(?:ing)?_towards? mak(?:es|ing)_(?:it|this) settle_on decide_on meant? hence therefore thus so is it's
        be was being constitutes? represents? (?:case|instance|example|act|form|kind|type)s?_of"""
    )
    + r"\b|(?<!known )\bas\b|→|=>|"
    + any_of("属于 归为 归类为 归入 分类为 划分为 判断为 判定为 应该?是 应为 选择 选 认为是 符合 是 为")
)
PREDICATE = re.compile(
    r"\b(?:is|was|seems|appears|fits|matches|would be|it is)\b(?:\s+(?:to be|the|most|clearly|a|my))*\s*"
    + any_of(
        """best better right correct answer appropriate suitable class category closest obvious fitting accurate
        choice"""
    )
    + r"\b"
)
# What may stand between a key or a verb and the class.
FILLER = re.compile(
    r"[\s\"'({\[<#:=>|→*_/-]+|[\])](?=\s)|,(?=\s*(?:so|i|it))|"
    + any_of(
        """the a an is are be would should will to that which this these those it i think choose select pick say go
        with fits? matches best most likely probably clearly definitely certainly presumably perhaps maybe
        possibly apparently surely obviously i'd i'll guess guessing either both here in of for under as by video
        clip event anomaly anomalous abnormal shown footage scene described depicted number_is number no\\. num id
        idx index name label class category option type case incident act instance example_of appears? seems?
        suitable appropriate accurate fitting correct right final answer predicted my main major primary clear
        classified categori[sz]ed belongs falls into assistant model gpt ai therefore thus hence so ist es est è é
        plus adaptée? más mais adecuada adequada passende passt richtige correct[ao] correta correcte la el le o
        número numero numéro nummer die der das den un una ein eine"""
    )
    + r"(?![a-z])|"
    + any_of("该 视频 中 的 最 符合 可能 应该? 应 为 是 属于 归 第 选项? 编号 类别 分类 异常 事件")
)
JOINT = re.compile(
    r"[类号]?[\s\"')\]}.:,|/&+\-(\[{>→=<?]*"
    r"(?:(?:and|or|and/or|as well as|plus|或者?|和|以及|与|及|也?可能是?)(?![a-z])[\s\"'(\[]*)?"
    r"(?:(?:an?|the|either|possibly|maybe|perhaps|class|category|option|number|第)(?![a-z])\s*)*[\s\"'(\[]*"
)
OR = re.compile(r"\b(?:or|and|both|either)\b|[/&,+]|或|和|与")
# What may follow a bare number that is a class.
FOLLOWED = re.compile(
    r"[\s\"')\]}|*_~>]*(?:$|[.,;:!?\n<\-(→/]|"
    + any_of(
        """because since as for with which in due given based from according although but where while here who when
        and or is was it this that the best on_the_list on_your_list type incidents? class category"""
    )
    + r"(?![a-z])|类|号|项)"
)
REASON = re.compile(r"[\s)\]]*(?:[:,\-;]|because\b|since\b|as\b)")

# A clause ends here: what is denied before it is not denied after it.
CLAUSE_END = re.compile(
    r"[;!?\n]|:(?=\s*\[)|\.(?=\s|$|[^\d\s])"
    r"|\b(?:but|however|instead|whereas|while|although|so|therefore|thus|hence)\b"
    r"|,\s*(?:it|this|that|which|they|i|i'd|we|he|she)\b|,(?=\s*是)|而是|(?=而不是)|但是?|所以|因此"
)
_DENIED_BEFORE = re.compile(
    r"\b"
    + any_of(
        """not n't no nor neither never without than rather_than instead_of excludes? excluding ruled?_out rules_out
        reject(?:s|ed|ing)? unlike exclude eliminate[sd]? distinct_from different_from no_evidence_of nein nicht
        kein pas ninguna? so_(?:is|are|does)_(?:class|category|option)"""
    )
    + r"\b|(?<=[a-z])n't\b|[❌✗✘✖×]|不是|并非|没有|不属于|并不|排除|非"
)
_NOT_ONLY = re.compile(r"\bnot (?:only|just|merely)\b|不仅|不只")
_EXCEPT = re.compile(
    r"\b(?:except|other than|apart from|besides|all but)(?:\s+for)?[\s\"'(\[]*(?:class|category|option)?[\s\[(]*$"
    r"|除了?\s*$"
)
_DENIED_AFTER = re.compile(
    r"[^.;!?\n]{0,30}?(?:\b(?:is|are|was|does|do|did|would|can|could|may|might|seems?)\s?"
    r"(?:not\b|n't|out\b|unlikely|wrong|incorrect|excluded|(?:be )?ruled out"
    r"|less (?:likely|suitable|fitting|appropriate))"
    r"|\b(?:isn't|aren't|wasn't|doesn't|don't|didn't|wouldn't|cannot|can't|couldn't)\b"
    r"|\b(?:ruled out|excluded|rejected|eliminated)\b|不符合|不是|不对|不适合|可以?排除|不成立)"
)
_REFUTED = re.compile(r"[\s:\-=>|)\]?]*(?:no\b|not\b|n/a\b|false\b|unlikely\b|absent\b|×|❌|✗|✘|否|无)")
CONFIRMED = re.compile(r"[\s:\-=>|)\]?]*(?:yes\b|true\b|correct\b|✓|✔|✅|是(?!否))")
_EXAMPLE_BEFORE = re.compile(r"(?:for example|for instance|e\.g\.?|such as|例如|比如|like this)[\s,:\"'(\[]*$")
TAKEN_BACK = re.compile(
    r"\b(?:wait|actually|correction|on second thoughts?|scratch that|i was wrong|my mistake|i meant|no, "
    r"|let me (?:correct|reconsider|re-?check|re-?evaluate)|sorry, (?:i meant|it)"
    r"|chang(?:e|ing) (?:it|my answer|that) to|revis(?:e|ing)|switch(?:ing)? to)|不对|更正|等等|重新考虑|纠正"
)
CONCLUDED = re.compile(
    r"\b"
    + any_of(
        """therefore thus hence so consequently in_conclusion to_conclude overall in_summary finally final best most
        ultimately as_a_result choose chose chosen select selected must_be pick go_with opt_for conclude
        mak(?:es|ing)_(?:it|this) settle_on decide classif\\w+ categori\\w+ belongs? falls? answer rather instead
        better it_is it's"""
    )
    + r"\b|因此|所以|综上|最终|最符合|更符合|属于|应该?是|选择?|而是"
)
TENTATIVE = re.compile(
    r"\b"
    + any_of(
        """could might may at_first at_first_glance initially possibly perhaps maybe looks?_like resembles?
        similar_to tempting considered consider plausible if otherwise unless depending"""
    )
    + r"\b|可能|也许|起初|乍一看"
)
_CONDITION = re.compile(r"\b(?:if|otherwise|unless|depending)\b|如果|否则")
# Words before a number that counts or measures something, and units behind one.
COUNTED = re.compile(
    r"\b"
    + any_of(
        """number_of numbers?_(?:people|cars) counts? severity confidence score aged? duration lasts? speed level
        rating frames? steps? probability total seconds? at time timestamp camera cam lane room floor gate route
        bus line platform episode part scene figure day year date id plate"""
    )
    + r"\b|严重程度|置信度|数量|时间|时长|第\s*\d+\s*(?:帧|秒)"
)
UNIT = re.compile(
    r"[\s\-]*(?:%|°|"
    + any_of(
        """seconds? secs? s minutes? mins? hours? hrs? h days? weeks? months? years? yrs? frames? fps percent
        persons? people men man women woman boys? girls? kids? child children individuals? students? passengers?
        pedestrians? cars? vehicles? trucks? bikes? motorcycles? dogs? animals? times? meters? metres? km mph kmh
        feet ft points? stars? in_\\d+ year[-_]old o'clock am pm st nd rd th steps? adults? suspects? robbers?
        thieves burglars? victims? witness(?:es)? officers? firefighters? workers? riders? drivers? clips? videos?
        images? pictures? shots? options? classes categories choices types labels events incidents floors?"""
    )
    + r"\b|\s?(?:秒|分钟|小时|岁|年|月|日|帧|个|人|名|次|辆|点|只|条|位|倍|米))"
)


def denied(text: str, start: int, end: int) -> bool:
    """Say whether what stands at [start, end) of a plain text is denied within its clause."""
    before = text[max(0, start - 160) : start]
    if _EXCEPT.search(before):
        return False
    ends = [match.end() for pattern in (CLAUSE_END, TAKEN_BACK) for match in pattern.finditer(before)]
    if _DENIED_BEFORE.search(_NOT_ONLY.sub("", before[max(ends, default=0) :])):
        return True
    after = text[end : end + 80]
    stop = CLAUSE_END.search(after)
    rest = after[: stop.start()] if stop else after
    return bool(_REFUTED.match(rest) or _DENIED_AFTER.match(rest))


def tentative(text: str, start: int, end: int) -> bool:
    """Say whether what stands at [start, end) of a plain text is called possible only, `start` being its sentence's."""
    if text[end : end + 2].lstrip("\"')] ")[:1] == "?":
        return True
    before, _, clause = text[start:end].rpartition(",")
    concluded = not _CONDITION.search(before) and CONCLUDED.search(clause) and not TENTATIVE.search(clause)
    return not (before and concluded) and bool(TENTATIVE.search(text, start, min(len(text), end + 12)))


def example(text: str, start: int) -> bool:
    """Say whether what stands at `start` of a plain text is called an example."""
    return bool(_EXAMPLE_BEFORE.search(text[max(0, start - 40) : start]))
