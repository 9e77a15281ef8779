//! The catalogue: every defect with its code and its words.

use super::{Severity, Words};

macro_rules! defects {
    ($(
        $(#[$doc:meta])*
        $name:ident { $($field:ident),* } $severity:ident $code:literal
        zh $zh:literal
        en $en:literal
        $(help_zh $help_zh:literal help_en $help_en:literal)?;
    )*) => {
        /// What can be wrong with rule sources.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Defect {
            $(
                $(#[$doc])*
                #[doc = ""]
                #[doc = concat!("`", $code, "`: ", $en)]
                #[expect(missing_docs, reason = "the fields are named in the message above")]
                $name { $($field: String),* },
            )*
        }

        impl Defect {
            /// All codes, in the order of the catalogue.
            pub const CODES: &'static [&'static str] = &[$($code),*];

            /// A stable code for documentation and scripts.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code),* }
            }

            /// Whether the pack can still be built.
            #[must_use]
            pub const fn severity(&self) -> Severity {
                match self { $(Self::$name { .. } => Severity::$severity),* }
            }

            /// The message.
            #[must_use]
            pub fn words(&self) -> Words {
                match self {
                    $(Self::$name { $($field),* } => {
                        $(let _ = $field;)*
                        Words::new(format!($zh), format!($en))
                    })*
                }
            }

            /// What to do about it, where that can be said in general.
            #[must_use]
            pub fn advice(&self) -> Option<Words> {
                match self {
                    $(Self::$name { $($field),* } => {
                        $(let _ = $field;)*
                        None $(.or(Some(Words::new(format!($help_zh), format!($help_en)))))?
                    })*
                }
            }
        }
    };
}

defects! {
    /// A file isn't TOML.
    Syntax { message } Error "E001"
    zh "不是合法的 TOML：{message}"
    en "not valid TOML: {message}";

    /// A file can't be read.
    Unreadable { path, reason } Error "E002"
    zh "读不了 {path}：{reason}"
    en "cannot read {path}: {reason}";

    /// There is nothing to build.
    NoSources { paths } Error "E003"
    zh "{paths} 下没有规则文件（*.toml）"
    en "no rule files (*.toml) under {paths}";

    /// A section that the language doesn't have.
    UnknownSection { name } Error "E004"
    zh "没有 `{name}` 这种段"
    en "there is no section `{name}`"
    help_zh "可用的段：[pack]、[defaults]、[[group]]、[[rule]]、[[suppress]]、[[protect]]、[[list]]、[[sender]]、[[scenario]]、[[redress]]"
    help_en "sections are [pack], [defaults], [[group]], [[rule]], [[suppress]], [[protect]], [[list]], [[sender]], [[scenario]], [[redress]]";

    /// A field that a section doesn't have.
    UnknownField { field, place } Error "E005"
    zh "{place} 里没有 `{field}` 这个字段"
    en "{place} has no field `{field}`";

    /// A field that must be there isn't.
    MissingField { field, place } Error "E006"
    zh "{place} 缺少字段 `{field}`"
    en "{place} lacks the field `{field}`";

    /// A value of another type.
    WrongType { field, expected_zh, expected_en, found } Error "E007"
    zh "`{field}` 应该是{expected_zh}，这里却是 {found}"
    en "`{field}` must be {expected_en}, this is {found}";

    /// A word that isn't one of those allowed.
    BadWord { field, value, allowed } Error "E008"
    zh "`{field}` 不能是 `{value}`"
    en "`{field}` can't be `{value}`"
    help_zh "可用的值：{allowed}"
    help_en "allowed: {allowed}";

    /// `[pack]` or `[defaults]` twice in a folder.
    SectionTwice { name } Error "E009"
    zh "同一个目录里有两个 [{name}] 段"
    en "a folder has two [{name}] sections"
    help_zh "每个目录只在 pack.toml 里写一次"
    help_en "write it once a folder, in pack.toml";

    /// A rule id of another form.
    BadId { id } Error "E010"
    zh "编号 `{id}` 的写法不对"
    en "the id `{id}` has the wrong form"
    help_zh "写成 `目录/名字`，只用小写字母、数字和连字符，例如 `debt-collection/threatens-contacts`"
    help_en "write `folder/name` in lower case letters, digits and hyphens, such as `debt-collection/threatens-contacts`";

    /// A group or match name of another form.
    BadName { name } Error "E011"
    zh "名字 `{name}` 的写法不对"
    en "the name `{name}` has the wrong form"
    help_zh "以小写字母开头，只用小写字母、数字和下划线"
    help_en "start with a lower case letter; use lower case letters, digits and underscores";

    /// An id or a name twice.
    Duplicate { name } Error "E012"
    zh "`{name}` 重复了"
    en "`{name}` is there twice";

    /// A name that the language keeps for itself.
    ReservedName { name } Error "E013"
    zh "`{name}` 是语言保留的名字"
    en "the name `{name}` belongs to the language"
    help_zh "换一个名字，例如 `{name}_words`"
    help_en "choose another, such as `{name}_words`";

    /// A score out of range.
    ScoreRange { score } Error "E014"
    zh "`score` 必须在 1 到 100 之间，这里是 {score}"
    en "`score` must be from 1 to 100, this is {score}";

    /// More members needed than there are.
    NeedRange { need, members } Error "E015"
    zh "`need = {need}` 不可能成立：只有 {members} 个成员"
    en "`need = {need}` can never hold: there are {members} members";

    /// A group without members.
    EmptyMatch { name } Error "E016"
    zh "`{name}` 里一个词也没有"
    en "`{name}` has no members"
    help_zh "至少写 `any`、`all`、`regex`、`include` 中的一个"
    help_en "give at least one of `any`, `all`, `regex`, `include`";

    /// A literal that folding leaves nothing of.
    EmptyLiteral { literal, view } Error "E017"
    zh "`{literal}` 在 {view} 视图里什么也不剩"
    en "nothing is left of `{literal}` in the {view} view"
    help_zh "折叠会去掉空白、标点和零宽字符；要匹配它们，请用 view = \"plain\""
    help_en "folding drops blanks, punctuation and zero-width characters; to match those, use view = \"plain\"";

    /// A literal of one character that makes a condition true by itself.
    ShortLiteral { literal, id } Error "E018"
    zh "单凭 `{literal}` 这一个字，`{id}` 的条件就会成立"
    en "the single character `{literal}` makes the condition of `{id}` true by itself"
    help_zh "写成更长的词，或者让条件再要求别的词组"
    help_en "write a longer literal, or let the condition need another group too";

    /// A literal above the limit.
    LongLiteral { chars, limit } Error "E019"
    zh "这个词有 {chars} 个字，最多 {limit} 个"
    en "this literal has {chars} characters, at most {limit} are allowed"
    help_zh "规则要抓住手法，而不是一整句话：拆成几个短词"
    help_en "catch the practice, not the sentence: split it into short words";

    /// A regex that the engine refuses.
    BadRegex { reason_zh, reason_en } Error "E020"
    zh "引擎不接受这个正则表达式：{reason_zh}"
    en "the engine refuses this regex: {reason_en}";

    /// A group that doesn't exist.
    UnknownGroup { name } Error "E021"
    zh "没有共享词组 `{name}`"
    en "there is no shared group `{name}`";

    /// A group that includes itself.
    IncludeCycle { chain } Error "E022"
    zh "词组互相包含成环：{chain}"
    en "groups include each other in a circle: {chain}";

    /// A glob that fits no rule.
    GlobWithoutRule { glob } Error "E023"
    zh "没有规则符合 `{glob}`"
    en "no rule fits `{glob}`";

    /// A number of the registry.
    BadNumber { number } Error "E024"
    zh "号码 `{number}` 的写法不对"
    en "the number `{number}` has the wrong form"
    help_zh "只写数字，可以以 `+` 开头；末尾一个 `*` 表示前缀"
    help_en "digits only, with an optional `+` before them and an optional `*` at the end for a prefix";

    /// A domain of a list or of the registry.
    BadDomain { domain } Error "E025"
    zh "域名 `{domain}` 的写法不对"
    en "the domain `{domain}` has the wrong form"
    help_zh "只写域名，例如 `icbc.com.cn`，不带协议和路径"
    help_en "write the domain alone, such as `icbc.com.cn`, without scheme or path";

    /// A list without entries.
    EmptyList { name } Error "E026"
    zh "列表 `{name}` 是空的"
    en "the list `{name}` is empty"
    help_zh "写 `entries = [...]` 或 `file = \"…\"`"
    help_en "give `entries = [...]` or `file = \"…\"`";

    /// A sentence for the person who was blocked that no message has room for.
    LongRedress { chars, limit } Error "E027"
    zh "给被拦截者的说明有 {chars} 个字，最多 {limit} 个"
    en "the sentence for the person who was blocked has {chars} characters, at most {limit} are allowed"
    help_zh "用一句外行能懂的话说明是哪种手法，以及怎样申诉"
    help_en "say in one plain sentence which practice it is taken for, and how to appeal";

    /// A condition that can't be parsed.
    Unexpected { found, expected_zh, expected_en } Error "E030"
    zh "条件里这个位置不该是 {found}，应该是{expected_zh}"
    en "unexpected {found} in the condition, expected {expected_en}";

    /// A text without its closing quote.
    OpenText { quote } Error "E031"
    zh "条件里的文字没有结束的引号 {quote}"
    en "the text in the condition lacks its closing {quote}";

    /// A name that is neither a match, nor a group, nor a field.
    UnknownName { name } Error "E032"
    zh "条件里有未知的名字 `{name}`"
    en "unknown name `{name}` in the condition"
    help_zh "名字先在本规则的 match.* 里找，再在共享的 [[group]] 里找，最后在字段里找"
    help_en "names are looked for in the rule's own match.*, then in shared [[group]]s, then in the fields";

    /// Something that isn't true or false where a condition is needed.
    NotACondition { what, kind_zh, kind_en } Error "E033"
    zh "这里需要真或假，`{what}` 却是{kind_zh}"
    en "true or false is needed here, `{what}` is {kind_en}";

    /// A comparison that the type doesn't have.
    BadComparison { what, operator, kind_zh, kind_en } Error "E034"
    zh "`{what}` 是{kind_zh}，不能用 `{operator}` 比较"
    en "`{what}` is {kind_en} and can't be compared with `{operator}`";

    /// Sides of different types.
    TypesDiffer { left, left_zh, left_en, right, right_zh, right_en } Error "E035"
    zh "两边类型不同：`{left}` 是{left_zh}，`{right}` 是{right_zh}"
    en "the sides differ in type: `{left}` is {left_en}, `{right}` is {right_en}";

    /// Two fields or two literals compared with each other.
    NeedsLiteral { left, right } Error "E036"
    zh "`{left}` 和 `{right}` 不能互相比较"
    en "`{left}` and `{right}` can't be compared with each other"
    help_zh "一边写字段或 `词组.count`，另一边写一个固定的值"
    help_en "put a field or `group.count` on one side and a fixed value on the other";

    /// A list that doesn't exist.
    UnknownList { name } Error "E037"
    zh "没有列表 `{name}`"
    en "there is no list `{name}`";

    /// A method that the language doesn't have.
    UnknownMethod { method } Error "E038"
    zh "没有 `{method}` 这个方法"
    en "there is no method `{method}`"
    help_zh "可用的只有 `字段.startsWith(\"…\")`；要在正文里找词，请写一个 match.*"
    help_en "there is only `field.startsWith(\"…\")`; to look for words in the text, write a match.*";

    /// A call over a time window that asks for what there isn't.
    WindowCall { call, subject, measures } Error "E039"
    zh "`{call}` 没有这样的计数，或时间窗口不对"
    en "`{call}` asks for a measure or a window that there isn't"
    help_zh "写作 `{subject}.计数(\"10m\")`，窗口为 10s 到 24h；{subject} 的计数有：{measures}"
    help_en "write `{subject}.measure(\"10m\")` with a window of 10s to 24h; measures of {subject}: {measures}";

    /// A question to a number list that isn't one.
    ListCall { call } Error "E072"
    zh "`{call}` 不是对号码名单的查询"
    en "`{call}` is no question to a number list"
    help_zh "写作 `caller.listed(\"reported\")` 或 `caller.list_score(\"reported\") >= 60`，也可用 callee、contact；名单名只用小写字母、数字、- 和 _；第二个参数可写手法类型"
    help_en "write `caller.listed(\"reported\")` or `caller.list_score(\"reported\") >= 60`, or the same of callee or contact; a list's name has lower case letters, digits, - and _; a second argument may name a typology";

    /// An entry of a test's number list that isn't one.
    BadListed { value } Error "E073"
    zh "`{value}` 不是名单里的一条"
    en "`{value}` is no entry of a number list"
    help_zh "写作 \"名单名 号码 分数\"，如 \"reported 17000000001 80\"，后面可再写手法类型；号码末尾的 * 表示号段"
    help_en "write \"list number score\", such as \"reported 17000000001 80\", and a typology behind it if you like; a number ending in * is a range";

    /// A number that no field can have.
    NumberRange { number } Error "E040"
    zh "数字 {number} 超出范围"
    en "the number {number} is out of range";

    /// A condition nested or long beyond the limits.
    TooComplex { limit } Error "E041"
    zh "条件太复杂，超过了{limit}"
    en "the condition is too complex, above {limit}"
    help_zh "拆成几条规则，或者把词并进一个词组"
    help_en "split it into several rules, or join words into one group";

    /// A field or name used in a way it doesn't have, such as `debt.length`.
    UnknownMember { name, member } Error "E042"
    zh "`{name}` 没有 `{member}`"
    en "`{name}` has no `{member}`"
    help_zh "词组只有 `.count`（命中了几个不同的成员）"
    help_en "a group has only `.count` (how many different members hit)";

    /// A list used with fields whose entries are written differently.
    ListConflict { name, first, second } Error "E043"
    zh "列表 `{name}` 既用于 `{first}` 又用于 `{second}`，两者的写法不同"
    en "the list `{name}` is used with `{first}` and with `{second}`, which are written differently"
    help_zh "拆成两个列表"
    help_en "make two lists of it";

    /// A rule without tests.
    NoHit { id } Error "E050"
    zh "规则 `{id}` 没有 `hit` 例句"
    en "the rule `{id}` has no `hit` text"
    help_zh "至少写一条它必须抓住的短信，或一段它必须抓住的来电序列：没有测试的规则不能进规则包"
    help_en "write at least one message, or sequence of calls, it must catch: a rule without a test doesn't enter a pack";

    /// A test with an empty text.
    EmptyTest { id } Error "E051"
    zh "`{id}` 有一条空的例句"
    en "`{id}` has an empty test text";

    /// A sequence without events.
    EmptySequence { runs } Error "E052"
    zh "序列的 {runs} 段里没有要判定的事件"
    en "the {runs} runs of the sequence have no events to judge"
    help_zh "写 `events = [{{ repeat = 20, every = \"15s\", from = \"1700000{{0001}}\", to = \"13900000001\" }}]`；`background = true` 的只是背景"
    help_en "write `events = [{{ repeat = 20, every = \"15s\", from = \"1700000{{0001}}\", to = \"13900000001\" }}]`; those with `background = true` aren't judged";

    /// A sequence above the limit.
    LongSequence { events, limit } Error "E053"
    zh "序列有 {events} 个事件，最多 {limit} 个"
    en "the sequence has {events} events, at most {limit} are allowed";

    /// A span of time that can't be read.
    BadDuration { value } Error "E054"
    zh "`{value}` 不是一段时间"
    en "`{value}` isn't a span of time"
    help_zh "写成 `500ms`、`30s`、`10m`、`2h` 或 `3d`"
    help_en "write `500ms`, `30s`, `10m`, `2h` or `3d`";

    /// A number or text with a place that can't be read.
    BadTemplate { value } Error "E055"
    zh "`{value}` 里花括号的写法不对"
    en "the braces in `{value}` can't be read"
    help_zh "`{{0001}}` 逐个加一，`{{0001+7}}`、`{{0099-1}}` 按步长变化，`{{####}}` 每次不同且互不相邻"
    help_en "`{{0001}}` counts up, `{{0001+7}}` and `{{0099-1}}` go by a step, `{{####}}` is another one each time";

    /// An attempt to be caught by that can't be read.
    BadBy { value } Error "E056"
    zh "`by` 不能是 {value}"
    en "`by` can't be {value}"
    help_zh "写第几次（`by = 5`），或占全部次数的百分比（`by = \"20%\"`，不足一次按一次算）"
    help_en "write an attempt (`by = 5`), or a share of all of them (`by = \"20%\"`, a part of an attempt is a whole one)";

    /// A time of day that can't be read.
    BadClock { value } Error "E057"
    zh "`{value}` 不是时刻"
    en "`{value}` isn't a time of day"
    help_zh "写成 `08:30` 或 `22:05`"
    help_en "write `08:30` or `22:05`";

    /// A hit text that doesn't fire its rule.
    HitMissed { id, why_zh, why_en } Error "E060"
    zh "规则 `{id}` 没有抓住这条 hit：{why_zh}"
    en "the rule `{id}` doesn't catch this hit: {why_en}";

    /// A miss text that fires its rule.
    MissHit { id, why_zh, why_en } Error "E061"
    zh "规则 `{id}` 误抓了这条 miss：{why_zh}"
    en "the rule `{id}` catches this miss: {why_en}";

    /// A hit text that a suppression takes back.
    HitSuppressed { id, suppression } Error "E062"
    zh "规则 `{id}` 抓住了这条 hit，但被 `{suppression}` 撤回了"
    en "the rule `{id}` catches this hit, but `{suppression}` takes it back"
    help_zh "收紧 `{suppression}` 的条件，或者换一条例句"
    help_en "tighten the condition of `{suppression}`, or choose another text";

    /// A suppression's hit text that it doesn't hold for.
    SuppressMissed { id, why_zh, why_en } Error "E063"
    zh "`{id}` 对这条 hit 不成立：{why_zh}"
    en "`{id}` doesn't hold for this hit: {why_en}";

    /// A suppression's miss text that it holds for.
    SuppressHit { id, why_zh, why_en } Error "E064"
    zh "`{id}` 对这条 miss 也成立：{why_zh}"
    en "`{id}` holds for this miss: {why_en}";

    /// A hit sequence of which the rule catches nothing.
    SequenceMissed { id, all, why_zh, why_en } Error "E065"
    zh "规则 `{id}` 在这段序列的全部 {all} 次里一次也没有抓住；最后一次：{why_zh}"
    en "the rule `{id}` catches none of the {all} attempts of this sequence; at the last one: {why_en}";

    /// A hit sequence that the rule catches too late.
    SequenceLate { id, first, by, all, why_zh, why_en } Error "E066"
    zh "规则 `{id}` 到第 {first} 次才抓住，最迟应在第 {by} 次（共 {all} 次）；第 {by} 次：{why_zh}"
    en "the rule `{id}` catches attempt {first} first, it must catch attempt {by} of {all} at the latest; at that one: {why_en}";

    /// A miss sequence of which the rule catches something.
    SequenceHit { id, at, all, why_zh, why_en } Error "E067"
    zh "规则 `{id}` 误抓了这段序列的第 {at} 次（共 {all} 次）：{why_zh}"
    en "the rule `{id}` catches attempt {at} of {all} of this sequence: {why_en}";

    /// A scenario that isn't caught in time.
    ScenarioMissed { id, by, all, first } Error "E068"
    zh "场景 `{id}` 最迟应在第 {by} 次（共 {all} 次）被抓住，实际：{first}"
    en "the scenario `{id}` must be caught at attempt {by} of {all} at the latest, it is caught at: {first}";

    /// An honest scenario that something is done about.
    ScenarioCaught { id, at, all, action, rules } Error "E069"
    zh "场景 `{id}` 的第 {at} 次（共 {all} 次）被误判为 {action}：{rules}"
    en "attempt {at} of {all} of the scenario `{id}` gets {action}, which it must not: {rules}";

    /// A sentence for the person who was blocked that says what the rule looks for.
    RedressGivesAway { id, sentence } Error "E071"
    zh "`{id}` 的说明泄露了规则：“{sentence}”自身就满足条件"
    en "the sentence of `{id}` gives the rule away: \"{sentence}\" meets its condition by itself"
    help_zh "骗子也会读到这句话：说出是哪种手法，不要重复规则要找的词"
    help_en "fraudsters read it too: name the practice, and don't repeat the words that the rule looks for";

    /// The pack couldn't be made of sources that are right.
    NotBuilt { reason } Error "E070"
    zh "规则包没有生成：{reason}"
    en "the pack was not built: {reason}";

    /// A match, group or list that nothing uses.
    Unused { name } Warning "W001"
    zh "`{name}` 没有被用到"
    en "`{name}` is never used";

    /// Two literals that fold to the same.
    SameLiteral { literal, folded } Warning "W002"
    zh "`{literal}` 折叠后与同组的另一个词相同（`{folded}`）"
    en "`{literal}` folds to the same as another member (`{folded}`)"
    help_zh "删掉一个：变体由折叠处理"
    help_en "drop one of them: folding takes care of variants";

    /// A condition that is always true or always false.
    Constant { value } Warning "W003"
    zh "条件总是 {value}"
    en "the condition is always {value}";

    /// A rule without a text that it must leave alone.
    NoMiss { id } Warning "W004"
    zh "规则 `{id}` 没有 `miss` 例句"
    en "the rule `{id}` has no `miss` text"
    help_zh "写一条相近但正当的短信，例如银行自己的还款提醒"
    help_en "write a message that is close to it and honest, such as a bank's own payment reminder";

    /// A suppression without tests.
    SuppressWithoutTest { id } Warning "W005"
    zh "`{id}` 没有 `hit` 例句"
    en "`{id}` has no `hit` text";

    /// A regex that needs characters its view never has.
    ForeignCharacters { characters, view } Warning "W007"
    zh "{view} 视图里不会出现 `{characters}`，这一段永远匹配不到"
    en "the {view} view never has `{characters}`: this part can't match"
    help_zh "写成折叠后的样子（小写、半角、简体），或者用 view = \"plain\""
    help_en "write it as it is folded (lower case, half width, simplified), or use view = \"plain\"";

    /// An entry twice in a list.
    SameEntry { entry } Warning "W006"
    zh "`{entry}` 在列表里重复了"
    en "`{entry}` is in the list twice";

    /// A literal that decides alone and is part of many words (`lint`).
    WeakAlone { literal, id, score } Warning "W101"
    zh "`{literal}` 太短，单凭它 `{id}` 就给出 {score} 分，足以拦截"
    en "`{literal}` is short, and alone gives `{id}` its score of {score}: enough to block"
    help_zh "让条件再要求别的词组，或者写成更长的词"
    help_en "let the condition need another group too, or write a longer literal";

    /// A class that knows only ASCII, in a Chinese pattern (`lint`).
    AsciiClass { class } Warning "W102"
    zh "`{class}` 只认 ASCII，汉字不算在内"
    en "`{class}` knows ASCII only: no Chinese character belongs to it"
    help_zh "用 `.` 或写明字符集，例如 `[一-龥]`"
    help_en "use `.`, or spell the class out, such as `[一-龥]`";

    /// A literal that can't hit without another one of its set (`lint`).
    Contained { literal, inner } Warning "W103"
    zh "`{literal}` 是多余的：它包含同组的 `{inner}`"
    en "`{literal}` adds nothing: it contains `{inner}` of the same set"
    help_zh "删掉长的那个；若短的太宽，就删掉短的"
    help_en "drop the longer one, or the shorter one where that is too broad";

    /// A gap that joins unrelated words (`lint`).
    WideGap { part, limit } Warning "W104"
    zh "`{part}` 跨度太大：会把不相干的词连在一起，扫描也慢"
    en "`{part}` spans too much: it joins unrelated words, and is slow"
    help_zh "限制长度，例如 `.{{0,12}}`，最多 {limit}"
    help_en "bound it, such as `.{{0,12}}`, at most {limit}";

    /// A rule that another makes useless (`lint`).
    Shadowed { id, other } Warning "W105"
    zh "`{id}` 是多余的：它成立时 `{other}` 必定成立，且单独就足以拦截"
    en "`{id}` adds nothing: wherever it holds `{other}` does, which blocks by itself"
    help_zh "删掉它，或者收紧另一条"
    help_en "drop it, or tighten the other";

    /// A rule that hit nothing (`lint --corpus`).
    NeverHit { id, records } Warning "W110"
    zh "`{id}` 在 {records} 条短信中一次也没有命中"
    en "`{id}` hit none of {records} messages";

    /// A rule that hits honest messages (`lint --corpus`).
    TooBroad { id, ham, hits } Warning "W111"
    zh "`{id}` 太宽：{hits} 次命中里有 {ham} 条正常短信"
    en "`{id}` is too broad: {ham} of its {hits} hits are honest messages"
    help_zh "用 `yumen rules eval` 看这些短信，再收紧条件"
    help_en "look at them with `yumen rules eval`, then tighten the condition";

    /// Two rules that hit the same messages (`lint --corpus`).
    Together { id, other, shared } Warning "W112"
    zh "`{id}` 和 `{other}` 命中的是同样的 {shared} 条短信"
    en "`{id}` and `{other}` hit the same {shared} messages"
    help_zh "它们的分数会叠加：合并成一条，或确认这是有意的"
    help_en "their scores add up: make one rule of them, or be sure that it is meant";

    /// A condition that costs much (`lint --corpus`).
    Slow { id, ns } Warning "W113"
    zh "`{id}` 的条件平均每条短信耗时 {ns} ns"
    en "the condition of `{id}` takes {ns} ns a message"
    help_zh "把最少见的词组写在最前面"
    help_en "put the rarest group first";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct() {
        let mut codes = Defect::CODES.to_vec();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Defect::CODES.len());
    }
}
