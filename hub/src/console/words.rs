//! The console's words, Chinese first.

mod terms;
mod work;

use axum::http::{HeaderMap, header};
use terms::TERMS;
pub(super) use work::Work;

/// A language of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// By the link that was followed, or the one followed last.
    pub(super) fn of(parameters: &[(String, String)], headers: &HeaderMap) -> Self {
        let chosen = super::parameter(parameters, "lang");
        let cookies =
            headers.get(header::COOKIE).and_then(|cookies| cookies.to_str().ok()).unwrap_or_default();
        let remembered = cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix("lang="));
        if chosen.or(remembered) == Some("en") { Self::En } else { Self::Zh }
    }

    /// As in a URL and in HTML.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::Zh => &ZH,
            Self::En => &EN,
        }
    }
}

macro_rules! words {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        /// Every word that the pages show.
        #[derive(Debug)]
        pub(super) struct Words {
            pub(super) lang: Lang,
            /// Those of the pages that people work on.
            pub(super) w: &'static Work,
            $(pub(super) $name: &'static str,)*
        }

        const ZH: Words = Words { lang: Lang::Zh, w: &work::ZH, $($name: $zh,)* };
        const EN: Words = Words { lang: Lang::En, w: &work::EN, $($name: $en,)* };
    };
}

words! {
    html_lang: "zh-CN", "en";
    product: "玉门", "Yumen";
    hub: "线索共享中心", "Sharing hub";
    skip: "跳到正文", "Skip to the content";
    other_lang: "English", "中文";
    other_lang_code: "en", "zh";
    agents: "网关", "Agents";
    no_agents: "尚无网关上报。", "No agent has reported yet.";
    heard: "最近上报", "heard";
    judged: "已检测", "judged";
    blocked: "已拦截", "blocked";
    spool: "待上报", "spooled";
    dropped: "丢弃", "dropped";
    no_pack: "未加载规则包", "no pack loaded";
    last_day: "近 24 小时", "Last 24 hours";
    sightings: "线索", "Sightings";
    filter: "筛选", "Filter";
    reset: "清除", "Reset";
    any: "全部", "any";
    typology: "类型", "Typology";
    verdict: "处置", "Verdict";
    member: "机构", "Member";
    agent: "网关", "Agent";
    indicator: "指标", "Indicator";
    indicator_hint: "号码、域名、微信号、申诉编号…", "number, domain, handle, appeal id…";
    range: "时间", "Time";
    range_any: "不限", "any time";
    range_hour: "近 1 小时", "last hour";
    range_day: "近 24 小时", "last 24 hours";
    range_week: "近 7 天", "last 7 days";
    range_month: "近 30 天", "last 30 days";
    live: "实时", "Live";
    live_off: "已暂停", "Paused";
    live_lost: "连接中断，正在重连", "Connection lost, retrying";
    pause: "暂停", "Pause";
    resume: "继续", "Resume";
    newest: "最新线索", "Newest sightings";
    older: "更早", "Older";
    none: "没有符合条件的线索。", "No sighting matches.";
    none_hint: "网关命中规则后，线索会立即出现在这里。", "As soon as an agent's rule hits, the sighting appears here.";
    time: "时间", "Time";
    score: "分值", "Score";
    rule: "规则", "Rule";
    indicators: "嫌疑人指标", "Indicators of the suspect";
    no_indicators: "未提取到联系方式。", "No contact was found.";
    evidence: "证据位置", "Evidence";
    evidence_hint: "正文不出本地：仅显示命中片段在正文中的位置（按字符）。", "The text stays on site: only where in it the evidence stands, in characters.";
    no_spans: "该规则不依赖正文片段。", "This rule names no place in the text.";
    chars: "字", "characters";
    pack: "规则包", "Pack";
    serial: "序号", "serial";
    listener: "监听", "Listener";
    segments: "分段", "Segments";
    destinations: "接收号码数", "Destinations";
    victim: "受害人（化名）", "Victim (pseudonym)";
    template: "模板摘要", "Template digest";
    id: "编号", "Id";
    received: "入库时间", "Received";
    why: "为何命中", "Why it was caught";
    close: "关闭", "Close";
    back: "返回列表", "Back to the list";
    same_indicator: "查看同一指标的线索", "sightings with the same indicator";
    ago_s: "秒前", "s ago";
    ago_min: "分钟前", "min ago";
    ago_h: "小时前", "h ago";
    ago_d: "天前", "d ago";
    login: "登录", "Log in";
    logout: "退出", "Log out";
    login_wrong: "用户名、口令或验证码不正确。", "The name, the password or the code isn't right.";
    login_locked: "尝试次数过多，请稍后再试。", "Too many wrong attempts: wait a while.";
    name: "用户名", "Name";
    password: "口令", "Password";
    password_new: "新口令", "New password";
    password_change: "修改口令", "Change the password";
    present: "当前口令", "Present password";
    code: "动态验证码", "Code";
    code_hint: "已启用第二因素时填写，也可填恢复码。", "Of your second factor, or a recovery code, where one is set up.";
    setup: "创建首个管理员", "The first administrator";
    setup_hint: "此链接仅可使用一次。", "This link works once.";
    setup_gone: "此链接已失效。", "This link doesn't work any more.";
    account: "我的账户", "My account";
    second: "第二因素", "Second factor";
    second_needed: "请先设置第二因素，然后才能继续。", "Set up a second factor to go on.";
    second_hint: "用身份验证器应用扫描二维码或输入密钥，然后填写显示的验证码。", "Scan this with an authenticator, or type the secret, then enter the code it shows.";
    second_set: "已启用。", "It is set up.";
    second_set_up: "启用", "Set it up";
    second_remove: "停用", "Remove it";
    recovery: "恢复码", "Recovery codes";
    recovery_hint: "仅显示这一次，每个只能用一次，请妥善保存。", "Shown this once; each works once. Keep them safe.";
    members: "成员", "Members";
    member_add: "添加机构", "Add a member";
    member_only: "仅机构分析员", "a member's analyst only";
    invite: "邀请网关", "Invite an agent";
    invited: "邀请码：", "An invitation for";
    invited_hint: "仅显示这一次，24 小时内有效，请通过其他渠道转交。", "Shown this once, good for 24 hours: hand it over by another way.";
    signed_required: "仅接受已登记网关签名的上报。", "Only what an enrolled agent signed is taken.";
    signed_not_required: "当前不强制签名：未登记的网关也可上报。", "Signatures aren't required: agents that aren't enrolled are taken too.";
    key: "密钥", "Key";
    enrolled: "登记时间", "Enrolled";
    until: "证书有效期至", "Certificate until";
    state: "状态", "State";
    in_force: "有效", "in force";
    revoked: "已吊销", "revoked";
    revoke: "吊销", "Revoke";
    people: "用户", "People";
    person_add: "添加用户", "Add a person";
    person_reset: "重置", "Reset";
    person_reset_hint: "设置新口令并清除第二因素。", "Sets a new password and takes the second factor away.";
    role: "角色", "Role";
    no_role: "没有这个角色。", "There is no such role.";
    program: "程序令牌", "a program's token";
    disable: "停用", "Disable";
    disabled: "已停用", "disabled";
    add: "添加", "Add";
    audit: "审计", "Audit";
    audit_hint: "每条记录的哈希覆盖前一条；用 yumen-hub audit verify 校验。", "Each row's hash covers the one before; yumen-hub audit verify goes through them.";
    actor: "操作者", "Who";
    action: "操作", "What";
    subject: "对象", "Whom";
    hash: "哈希", "Hash";
    refused: "已拒绝", "Refused";
    refused_packs: "网关拒绝的规则包与撤回", "Packs and retractions that agents refused";
    refused_messages: "枢纽拒绝的消息", "Messages that the hub refused";
    refused_hint: "伪造者可以冒用任何名义：这里的名义只说明主题。", "A forger can use any name: the names here are only those of the topics.";
    refused_none: "没有。", "None.";
    retractions: "撤回清单", "Retractions";
    in_name_of: "名义", "In the name of";
    what: "内容", "What";
    reason: "原因", "Reason";
    count: "次数", "Count";
    last: "最近一次", "Last";
    no_script: "浏览器未启用脚本，列表不会自动更新。", "Without JavaScript the list doesn't update by itself.";
}

impl Words {
    /// An indicator's kind, a verdict, a typology, a health, a direction: the word for a word of the wire. What this
    /// version doesn't know is shown as it came.
    pub(super) fn term<'a>(&self, term: &'a str) -> &'a str {
        let found = TERMS.iter().find(|(known, ..)| *known == term);
        found.map_or(term, |(_, zh, en)| if self.lang == Lang::Zh { zh } else { en })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_chosen_then_remembered_then_chinese() {
        let headers = |cookie: &str| HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())]);
        let link = |lang: &str| vec![("lang".to_owned(), lang.to_owned())];
        assert_eq!(Lang::of(&[], &HeaderMap::new()), Lang::Zh);
        assert_eq!(Lang::of(&[], &headers("a=b; lang=en")), Lang::En);
        assert_eq!(Lang::of(&link("zh"), &headers("lang=en")), Lang::Zh);
        assert_eq!(Lang::of(&link("xx"), &HeaderMap::new()), Lang::Zh);
    }

    #[test]
    fn every_word_of_the_wire_has_two() {
        for term in yumen_exchange::check::VERDICTS.iter().chain(&yumen_exchange::check::INDICATOR_KINDS) {
            assert!(TERMS.iter().any(|(known, ..)| known == term), "{term}");
        }
        assert_eq!(ZH.term("reject"), "拦截");
        assert_eq!(EN.term("something-new"), "something-new");
    }
}
