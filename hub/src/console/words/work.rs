//! The words of the pages that people work on: queues, rules, rollout, reports.

macro_rules! words {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        /// Every word of those pages.
        #[derive(Debug)]
        pub(in crate::console) struct Work { $(pub(in crate::console) $name: &'static str,)* }

        pub(super) const ZH: Work = Work { $($name: $zh,)* };
        pub(super) const EN: Work = Work { $($name: $en,)* };
    };
}

words! {
    menu: "主导航", "Main";
    overview: "总览", "Overview";
    clues: "疑点", "Clues";
    clue: "疑点", "Clue";
    indicators: "指标", "Indicators";
    appeals: "申诉", "Appeals";
    appeal: "申诉", "Appeal";
    complaint: "录入举报", "Enter a report";
    rules: "规则", "Rules";
    rollout: "发布", "Rollout";
    statistics: "统计", "Statistics";
    newer: "上一页", "Newer";
    next: "下一页", "Next";
    nothing: "没有。", "Nothing.";
    date_utc: "日期按 UTC 计。", "Days are in UTC.";
    // Overview.
    hits_by_hour: "近 48 小时命中（按小时）", "Hits in the last 48 hours, by hour";
    hits_by_day: "近 30 天命中（按天）", "Hits in the last 30 days, by day";
    hits_by_typology: "近 7 天命中（按类型）", "Hits in the last 7 days, by typology";
    hits_by_member: "近 7 天命中（按机构）", "Hits in the last 7 days, by member";
    as_table: "以表格显示", "As a table";
    hour: "小时（UTC）", "Hour (UTC)";
    day: "日期", "Day";
    hits: "命中", "Hits";
    waiting: "待处理", "Waiting";
    overdue: "已超时", "overdue";
    enforced_now: "全网生效的指标", "Indicators enforced";
    // Indicators.
    members_count: "机构数", "Members";
    last_seen: "最近命中", "Last seen";
    score_now: "当前分值", "Score now";
    score_history: "30 天分值", "Score over 30 days";
    score_hint: "线：每日末的分值，虚线为生效门槛；柱：当日命中数。", "Line: the score at the end of each day, dashed where it stops being enforced; bars: hits of the day.";
    find: "查找", "Find";
    kind: "种类", "Kind";
    value: "值", "Value";
    promote: "立即共享", "Share now";
    promote_hint: "所有机构将立即拦截它。", "Every member will block it at once.";
    retract: "撤回", "Retract";
    retract_hint: "所有机构立即停止因它拦截。", "Every member stops blocking for it at once.";
    disputes: "成立的申诉", "Appeals upheld against it";
    no_share: "枢纽未配置 [share]：不能共享、撤回或发布。", "The hub has no [share] in its configuration: nothing can be shared, retracted or published.";
    sightings_of: "相关线索", "Its sightings";
    never_shared: "未共享", "never shared";
    // Clues.
    order: "排序依据", "How this is ordered";
    order_hint: "危害 = 类型权重 ×（每家机构 20，至多 10 家 + 命中数每翻一倍 10，至多 100 + 提供者把握的一半）× 新近度。新近度当天 100%，每过一天减 10%，最低 10%。权重：诈骗 5；贷款中介、荐股、催收 4；其他 3。", "Harm = weight of the typology × (20 for each member up to ten + 10 for each doubling of the hits up to 100 + half of the confidence of whoever brought it) × recency. Recency is 100 % on the day it was last seen and 10 % less with each day, down to 10 %. Weights: fraud 5; loan mediation, stock tips, debt collection 4; others 3.";
    harm: "危害", "Harm";
    source: "来源", "Source";
    assignee: "经办", "Assignee";
    mine: "我的", "Mine";
    waiting_all: "待处理（全部）", "waiting (all)";
    clue_add: "录入疑点", "Add a clue";
    confidence: "把握（0–100）", "Confidence (0–100)";
    opened: "提出", "Opened";
    act: "处理", "Decide";
    take: "由我处理", "I look at it";
    release: "放回队列", "Back into the queue";
    accept: "采纳为共享指标", "Accept as an indicator";
    make_rule: "据此写规则", "Write a rule from it";
    reject: "驳回", "Reject";
    reopen: "重新处理", "Reopen";
    why: "理由", "Reason";
    merge: "并入", "Merge";
    merge_into: "并入疑点（填写其指标值）", "Into the clue of (value)";
    merged_here: "已并入的疑点", "Merged into this one";
    change_typology: "改类型", "Change the typology";
    comments: "评论", "Comments";
    comment: "发表评论", "Comment";
    // Appeals.
    due: "答复期限", "Due";
    about: "被拦发送方", "Blocked sender";
    side: "申诉人", "Who appeals";
    standing_hint: "该发送方此前有恶意申诉：排在其后，期限加倍。", "This sender appealed in bad faith before: behind the others, and twice the time.";
    statement: "申诉说明", "Statement";
    answer: "答复（申诉人可见）", "Answer (the one who appeals sees it)";
    uphold: "成立：撤回并放行", "Uphold: retract and free";
    uphold_what: "撤回以下内容", "Take these back";
    turn_down: "不成立", "Turn down";
    bad_faith: "恶意申诉", "In bad faith";
    answered: "已答复", "Answered";
    answered_by: "答复人", "Answered by";
    free: "误拦？放行", "A mistake? Free it";
    free_hint: "勾选要撤回的内容并说明理由：所有机构立即停止因它拦截，并记一条成立的申诉。", "Choose what to take back, and say why: every member stops blocking for it at once, and it counts as an appeal upheld.";
    rule_retracted: "规则", "Rule";
    not_blocked: "这条没有被拦截。", "Nothing was blocked here.";
    appeal_enter: "代为申诉", "Enter an appeal";
    // The public page.
    public_title: "拦截申诉", "Appeal a block";
    public_hint: "如认为短信或来电被误拦，请填写您得到的申诉编号。", "If a message or call was blocked by mistake, enter the appeal id that you were given.";
    appeal_id: "申诉编号", "Appeal id";
    look: "查询", "Look it up";
    public_decided: "该判定", "The decision";
    public_sentence: "原因", "Reason";
    public_open: "您的申诉正在处理，请在期限后以同一编号查询。", "Your appeal is being looked at. Come back with the same id by then.";
    public_late: "您的申诉已超过期限，已升级处理。抱歉让您久等。", "Your appeal has waited too long and was escalated. We are sorry.";
    public_upheld: "您的申诉成立，拦截依据已撤回。", "Your appeal was upheld: what blocked you was taken back.";
    public_rejected: "您的申诉未成立。", "Your appeal was turned down.";
    public_say: "提出申诉", "Appeal";
    public_again: "再次申诉", "Appeal again";
    public_i_am: "我是", "I am the";
    public_statement: "说明（选填，至多 500 字）", "What happened (optional, at most 500 characters)";
    public_private: "请勿填写短信原文、姓名或号码；五位以上的数字会被遮盖。答复只在本页以该编号显示。", "Don't quote the message, names or numbers; runs of five digits and more are masked. The answer is shown here only, under the same id.";
    public_off: "本枢纽不受理公开申诉，请联系您的运营商或银行。", "This hub takes no appeals from the public: ask your operator or bank.";
    // Reports.
    complaint_hint: "录入用户转发到 12321 等举报号码的短信或来电。正文只在内存中分析，不保存；仅保留号码、链接、账号与模板摘要。", "What a subscriber forwarded to a reporting code such as 12321 or 7726. The text is looked at in memory and not kept: numbers, links, handles and the template's digest stay.";
    complaint_text: "短信正文", "Text of the message";
    complaint_from: "发送方或主叫号码", "Sender or caller";
    complaint_own: "举报人号码（仅用于剔除，不保存）", "The subscriber's number (to leave it out; not kept)";
    channel: "渠道", "Channel";
    by_rules: "由规则判断", "as the rules say";
    complaint_done: "已录入：", "Entered:";
    reported_rule: "用户举报", "Reported by a subscriber";
    // Rules.
    rules_hint: "这里的规则与配置目录中的规则一起进入规则包。保存即检查并测试；看过回放差异后方可发布。", "Rules written here go into the packs beside those of the configured folders. Saving checks and tests; a rule may be published once its difference on replay was shown.";
    rule_new: "新建规则", "A new rule";
    rule_name: "名称（小写字母、数字、连字符）", "Name (a-z, 0-9, '-')";
    rule_text: "规则源文（TOML）", "Source (TOML)";
    rule_channel: "发布到", "For channel";
    every_channel: "全部渠道", "every channel";
    rule_check: "保存并检查", "Save, check and test";
    rule_publish: "发布", "Publish";
    rule_withdraw: "下架", "Withdraw";
    rule_is_published: "已发布", "published";
    rule_is_draft: "草稿", "draft";
    rule_is_changed: "有未发布的修改", "changed since";
    rule_good: "检查与测试通过", "Checked and tested: right";
    rule_bad: "有错误，不能发布", "There are errors: it can't be published";
    tests_run: "条例句", "examples";
    difference: "回放差异", "Difference on replay";
    difference_hint: "旧：当前全部规则；新：加上这条。语料为各规则的例句与配置的语料。", "Old: all rules now; new: with this one. On the rules' own examples and the configured corpus.";
    newly_blocked: "新拦截", "Newly blocked";
    newly_allowed: "新放行", "Newly let through";
    honest: "正常短信", "honest messages";
    honest_blocked: "会误拦正常短信，确认后才能发布", "Honest messages would newly be blocked: confirm to publish";
    messages: "短信", "Messages";
    label: "标签", "Label";
    old: "旧", "Old";
    new: "新", "New";
    rule_hits: "本规则命中", "Hits of this rule";
    ladder_hint: "差异按“拦截”计算，与阶梯无关；shadow 的规则发布后只记录、不拦截。", "As if it blocked, whatever its ladder: in shadow it records and blocks nothing.";
    shown_needed: "先“保存并检查”，看过差异后再发布。", "Save and check first: publishing needs the difference to have been shown.";
    from_clue: "来自疑点", "From the clue";
    changed_by: "修改人", "Changed by";
    // Rollout.
    packs: "规则包", "Packs";
    share_now: "发布范围", "Share of agents";
    running: "运行网关", "Running";
    bytes: "字节", "Bytes";
    created: "生成时间", "Made";
    withdrawn: "已回滚", "rolled back";
    offered: "当前", "current";
    set_share: "设为", "Set to";
    halt: "暂停（0%）", "Halt (0 %)";
    roll_back: "回滚到上一版规则", "Back to the rules before";
    lagging: "落后的网关", "Agents that lag";
    rules_digest: "规则摘要", "Rules";
    halt_hint: "暂停后不再有新的网关取用；已取用的不变。", "No further agent takes it; those that have it keep it.";
    // Statistics.
    from: "起", "From";
    to: "止", "To";
    show: "显示", "Show";
    csv: "下载 CSV", "Download CSV";
    print: "可直接打印或另存为 PDF。", "Print it, or save it as PDF, from the browser.";
    all: "合计", "All";
    blocked: "拦截", "Blocked";
    flagged: "标记", "Flagged";
    shadowed: "影子", "Shadow";
    by_typology: "按类型", "By typology";
    by_member: "按机构", "By member";
    period: "期间", "Period";
    appeals_opened: "提出申诉", "Appeals";
    appeals_upheld: "成立", "Upheld";
    appeals_rejected: "不成立", "Turned down";
    appeals_late: "超时", "Overdue";
    bad_period: "日期格式为 2026-11-25，起不晚于止，至多 400 天。", "Days are as in 2026-11-25, the first not after the last, at most 400.";
}
