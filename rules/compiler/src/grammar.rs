//! The sections and fields of rule files as a table: what editors complete, what the JSON schema says, and in which order `fmt`
//! writes. A test holds it against what the reader takes.

use yumen_rules::pack::OrganisationKind;
use yumen_rules::signal::Protected;
use yumen_rules::verdict::Typology;

/// A section of a file.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// Written `[[name]]`, any number of times; otherwise `[name]`, once a folder.
    pub many: bool,
    /// Chinese description.
    pub zh: &'static str,
    /// English description.
    pub en: &'static str,
    /// Its fields, in the order they are written.
    pub fields: &'static [Field],
}

/// A field of a section.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// Chinese description.
    pub zh: &'static str,
    /// English description.
    pub en: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A string.
    Text,
    /// A string, or an array of strings.
    Texts,
    /// A condition.
    Condition,
    /// A whole number from the first to the second.
    Number(i64, i64),
    /// True or false.
    Flag,
    /// One of these words.
    Word(Words),
    /// One of these words, or several.
    WordList(Words),
    /// An attempt by its number, or a share of them: `"50%"`.
    Attempt,
    /// Tables of this form by names that the author chooses.
    Named(&'static [Field]),
    /// A table of this form.
    Table(&'static [Field]),
    /// Tables of this form.
    Tables(&'static [Field]),
    /// Texts, or tables of these forms.
    Tests,
}

/// Words that a field takes.
#[derive(Clone, Copy, Debug)]
pub enum Words {
    /// The practices.
    Typologies,
    /// The protected classes.
    Protected,
    /// Kinds of organisations.
    Organisations,
    /// These.
    These(&'static [&'static str]),
}

impl Words {
    /// The words.
    #[must_use]
    pub fn all(self) -> Vec<&'static str> {
        match self {
            Self::Typologies => Typology::ALL.map(Typology::id).to_vec(),
            Self::Protected => Protected::ALL.map(Protected::id).to_vec(),
            Self::Organisations => OrganisationKind::ALL.iter().map(|kind| kind.id()).collect(),
            Self::These(words) => words.to_vec(),
        }
    }
}

/// The section of a name.
#[must_use]
pub fn section(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.name == name)
}

/// A field that must be there.
const fn must(name: &'static str, shape: Shape, zh: &'static str, en: &'static str) -> Field {
    Field { name, shape, required: true, zh, en }
}

/// A field that may be left out.
const fn may(name: &'static str, shape: Shape, zh: &'static str, en: &'static str) -> Field {
    Field { name, shape, required: false, zh, en }
}

/// The sections, in the order the reference has them.
pub const SECTIONS: &[Section] = &[
    Section {
        name: "pack",
        many: false,
        zh: "本目录的名字和标题",
        en: "the folder's name and titles",
        fields: PACK,
    },
    Section {
        name: "defaults",
        many: false,
        zh: "本目录规则的共同设置",
        en: "what the folder's rules have in common",
        fields: DEFAULTS,
    },
    Section {
        name: "group",
        many: true,
        zh: "各条规则共用的词组",
        en: "a set of words that all rules can use",
        fields: GROUP,
    },
    Section {
        name: "rule", many: true, zh: "一条规则：一种手法", en: "a rule: one practice", fields: RULE
    },
    Section {
        name: "suppress",
        many: true,
        zh: "条件成立时撤回规则的命中",
        en: "takes hits back where its condition holds",
        fields: SUPPRESS,
    },
    Section {
        name: "protect",
        many: true,
        zh: "条件成立时受保护，不因分数被拦截",
        en: "what no score blocks",
        fields: PROTECT,
    },
    Section {
        name: "list",
        many: true,
        zh: "条件里用 in 查的列表",
        en: "entries that conditions look up with `in`",
        fields: LIST,
    },
    Section {
        name: "sender",
        many: true,
        zh: "机构登记：号码、签名、域名",
        en: "an organisation: its numbers, signatures, domains",
        fields: SENDER,
    },
    Section {
        name: "scenario",
        many: true,
        zh: "用一段呼叫或短信序列检验整个规则包",
        en: "a sequence that the whole pack is tested with",
        fields: SCENARIO,
    },
    Section {
        name: "redress",
        many: true,
        zh: "告知被拦截者的话，每种手法一句",
        en: "what a blocked person is told, a sentence a practice",
        fields: REDRESS,
    },
    Section {
        name: "classifier",
        many: false,
        zh: "分类器的权重文件",
        en: "the file of the classifier's weights",
        fields: CLASSIFIER,
    },
];

const PACK: &[Field] = &[
    must("name", Shape::Text, "名字，全部目录中唯一", "its name, unique in the build"),
    may("title", Shape::Text, "中文标题", "Chinese title"),
    may("title_en", Shape::Text, "英文标题", "English title"),
];

const TYPOLOGY: (&str, Shape) = ("typology", Shape::Word(Words::Typologies));
const LADDER: Shape = Shape::Word(Words::These(&["shadow", "flag", "enforce"]));
const CHANNEL: Shape = Shape::WordList(Words::These(&["sms", "call"]));
const VIEW: Shape = Shape::Word(Words::These(&["folded", "squeezed", "sound", "plain"]));

const DEFAULTS: &[Field] = &[
    may(TYPOLOGY.0, TYPOLOGY.1, "规则没写类型时用它", "for rules that name none"),
    may("ladder", LADDER, "规则没写阶梯时用它", "for rules that name none"),
    may("channel", CHANNEL, "规则没写通道时用它", "for rules that name none"),
];

const ANY: Field = may("any", Shape::Texts, "词，命中一个即可", "literals; one of them is enough");
const ALL: Field = may("all", Shape::Texts, "词，必须全部命中", "literals that must all hit");
const REGEX: Field = may(
    "regex",
    Shape::Texts,
    "正则表达式，与 any 的词同等",
    "regular expressions, members like those of `any`",
);
const INCLUDE: Field = may(
    "include",
    Shape::Texts,
    "并入这些共享词组的全部成员",
    "shared groups whose members belong to this one too",
);
const VIEW_FIELD: Field = may(
    "view",
    VIEW,
    "在哪个视图里匹配，缺省 folded",
    "the view it is matched in; `folded` where it says nothing",
);
const NEED: Field = may(
    "need",
    Shape::Number(1, 65_535),
    "要命中几个不同成员，缺省 1",
    "how many different members must hit, 1 where it says nothing",
);

/// A named match of a rule.
pub const MATCH: &[Field] = &[VIEW_FIELD, NEED, INCLUDE, ANY, ALL, REGEX];
const GROUP: &[Field] = &[
    must("id", Shape::Text, "条件里的名字", "its name in conditions"),
    VIEW_FIELD,
    NEED,
    INCLUDE,
    ANY,
    ALL,
    REGEX,
];

const TITLE_EN: Field = may("title_en", Shape::Text, "英文标题", "English title");
const WHEN: Field = must("when", Shape::Condition, "条件（CEL 语法）", "the condition, in the syntax of CEL");
const MATCHES: Field = may(
    "match",
    Shape::Named(MATCH),
    "自己的词组：match.名字 = { any = […] }",
    "its own sets of words: match.name = { any = […] }",
);
const ID: Field = must("id", Shape::Text, "编号：目录/名字", "its id: folder/name");

const RULE: &[Field] = &[
    ID,
    may(TYPOLOGY.0, TYPOLOGY.1, "哪种手法；可写在 [defaults]", "which practice; `[defaults]` can say it"),
    must("title", Shape::Text, "中文标题", "Chinese title"),
    TITLE_EN,
    must(
        "score",
        Shape::Number(1, 100),
        "单凭这条规则有多大把握：50 起上报，70 起拦截",
        "how sure it alone makes you: reported from 50, blocked from 70",
    ),
    may(
        "ladder",
        LADDER,
        "最多走到哪一步：shadow 只计数，flag 上报，enforce 可拦截",
        "how far it may go: `shadow` counts, `flag` reports, `enforce` may block",
    ),
    may("channel", CHANNEL, "短信、呼叫", "messages, calls"),
    may(
        "overrides",
        Shape::WordList(Words::Protected),
        "仍可拦截的受保护类别",
        "protected classes that it may block all the same",
    ),
    MATCHES,
    WHEN,
    may(
        "redress",
        Shape::Table(SENTENCES),
        "告知被拦截者的话，比类型的那句更具体",
        "what a blocked person is told, closer than the practice's sentence",
    ),
    must("hit", Shape::Tests, "必须抓住的短信或序列", "what it must catch"),
    may("miss", Shape::Tests, "相近但正当、不能抓的", "what is close and honest"),
];

const SUPPRESS: &[Field] = &[
    ID,
    may("title", Shape::Text, "中文理由", "why, in Chinese"),
    may("title_en", Shape::Text, "英文理由", "why, in English"),
    may(
        "typologies",
        Shape::WordList(Words::Typologies),
        "撤回这些类型的命中",
        "takes back hits of these practices",
    ),
    may(
        "rules",
        Shape::Texts,
        "撤回这些规则的命中，可用 *",
        "takes back hits of these rules; `*` stands for anything",
    ),
    MATCHES,
    WHEN,
    may("hit", Shape::Tests, "必须成立的", "what it must hold for"),
    may("miss", Shape::Tests, "不能成立的", "what it must not hold for"),
];

const PROTECT: &[Field] =
    &[ID, must("class", Shape::Word(Words::Protected), "受保护类别", "the protected class"), MATCHES, WHEN];

const LIST: &[Field] = &[
    must("name", Shape::Text, "条件里的名字", "its name in conditions"),
    may(
        "kind",
        Shape::Word(Words::These(&["exact", "prefix", "domain"])),
        "怎样比较，缺省 exact",
        "how entries are compared; `exact` where it says nothing",
    ),
    may("file", Shape::Text, "条目文件，每行一条", "a file of entries, one a line"),
    may("entries", Shape::Texts, "条目", "the entries"),
];

const SENDER: &[Field] = &[
    must("organisation", Shape::Text, "机构名", "its name"),
    must("kind", Shape::Word(Words::Organisations), "机构类别", "what it is"),
    may("numbers", Shape::Texts, "号码，末尾 * 表示前缀", "numbers; a trailing `*` makes a prefix"),
    may("signatures", Shape::Texts, "【签名】，不带括号", "signatures, without their brackets"),
    may("domains", Shape::Texts, "域名", "domains"),
];

const START: Field =
    may("start", Shape::Text, "从几点开始，如 \"22:10\"", "when it begins, such as \"22:10\"");
const BY: Field = may(
    "by",
    Shape::Attempt,
    "最迟第几次（或百分之几）被抓住",
    "the attempt, or the share of them, it must be caught by",
);
const EVENTS: Field = must("events", Shape::Tables(EVENT), "发生的事", "what happens");

const SCENARIO: &[Field] = &[
    ID,
    may("title", Shape::Text, "中文标题", "Chinese title"),
    TITLE_EN,
    must(
        "expect",
        Shape::Word(Words::These(&["block", "flag", "pass", "clean"])),
        "期望：拦截、至少标记、不拦截、连标记也没有",
        "blocked, at least flagged, never blocked, never flagged either",
    ),
    START,
    BY,
    LISTED,
    EVENTS,
];

/// A test that is a text.
pub const TEXT_TEST: &[Field] = &[
    must("text", Shape::Text, "短信", "the message"),
    may("from", Shape::Text, "发送方", "the originator"),
    may("to", Shape::Text, "接收方", "the destination"),
    LISTED,
];

/// Number lists of a test.
const LISTED: Field = may(
    "listed",
    Shape::Texts,
    "号码名单的条目，如 \"reported 17000000001 80\"",
    "entries of number lists, such as \"reported 17000000001 80\"",
);

/// A test that is a sequence.
pub const SEQUENCE_TEST: &[Field] =
    &[may("name", Shape::Text, "演的是什么", "what it plays"), START, BY, LISTED, EVENTS];

/// Events of one kind, in a sequence.
pub const EVENT: &[Field] = &[
    may("at", Shape::Text, "何时开始，如 \"5m\"", "when it begins, such as \"5m\""),
    may("repeat", Shape::Number(1, 4_294_967_295), "次数", "how many"),
    may("every", Shape::Texts, "间隔", "from one to the next"),
    may("over", Shape::Text, "在多长时间内平均分布", "spread over this time"),
    must(
        "from",
        Shape::Texts,
        "发送方或主叫，可用 {0001} 这样的模板",
        "originators; templates such as {0001}",
    ),
    must("to", Shape::Texts, "接收方或被叫，可用模板", "destinations; templates too"),
    may("text", Shape::Texts, "短信正文；没有则是呼叫", "the message; a call where there is none"),
    may(
        "outcome",
        Shape::WordList(Words::These(&["answered", "cancelled", "no-answer", "busy", "failed", "unknown"])),
        "呼叫的结果",
        "how calls end",
    ),
    may("ring", Shape::Texts, "振铃多久", "how long they ring"),
    may("talk", Shape::Texts, "通话多久", "how long they talk"),
    may(
        "verstat",
        Shape::WordList(Words::These(&["passed", "failed", "not-validated", "none"])),
        "网络对主叫号码的核验",
        "what the network says of the number",
    ),
    may(
        "attestation",
        Shape::WordList(Words::These(&["A", "B", "C", "none"])),
        "签名的证明级别",
        "the attestation",
    ),
    may("agent", Shape::Texts, "User-Agent", "User-Agent"),
    may(
        "trunk",
        Shape::Word(Words::These(&["own", "domestic", "international"])),
        "来自哪一侧",
        "the side of the network",
    ),
    may("private", Shape::Flag, "主叫要求隐藏号码", "the caller asks not to be shown"),
    may("background", Shape::Flag, "只是背景，不检验", "only goes on beside; isn't tested"),
];

/// Sentences for a blocked person, by language.
pub const SENTENCES: &[Field] = &[
    may("zh", Shape::Text, "中文", "in Chinese"),
    may("zh_hant", Shape::Text, "繁体中文", "in traditional Chinese"),
    may("en", Shape::Text, "英文", "in English"),
];

const REDRESS: &[Field] = &[
    must(TYPOLOGY.0, TYPOLOGY.1, "哪种手法", "which practice"),
    must("zh", Shape::Text, "中文，外行能懂的一句话", "in Chinese: one sentence that a layman understands"),
    must("zh_hant", Shape::Text, "繁体中文", "in traditional Chinese"),
    must("en", Shape::Text, "英文", "in English"),
];

const CLASSIFIER: &[Field] = &[must(
    "weights",
    Shape::Text,
    "`yumen rules train` 写出的文件",
    "the file that `yumen rules train` wrote",
)];
