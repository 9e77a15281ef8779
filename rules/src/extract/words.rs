//! The words that extraction knows, and how they are looked for.

/// Whether `text` ends with `word`. Most are told apart by the last byte, without a call to compare the rest.
#[inline]
pub(super) fn ends_with(text: &[u8], word: &str) -> bool {
    text.last() == word.as_bytes().last() && text.ends_with(word.as_bytes())
}

/// Whether `text` starts with `word`: the byte where the word ends tells most apart.
#[inline]
pub(super) fn starts_with(text: &[u8], word: &str) -> bool {
    let last = word.len().wrapping_sub(1);
    text.get(last) == word.as_bytes().get(last) && text.starts_with(word.as_bytes())
}

/// What is left of `text` behind `word`.
#[inline]
pub(super) fn behind<'t>(text: &'t [u8], word: &str) -> Option<&'t [u8]> {
    if starts_with(text, word) { text.get(word.len()..) } else { None }
}

/// Top-level domains that make a link of `a.b` without a scheme or a path.
pub(super) const TLDS: [&[u8]; 96] = [
    b"com", b"cn", b"net", b"org", b"top", b"xyz", b"vip", b"club", b"cc", b"info", b"site", b"online",
    b"shop", b"store", b"tech", b"live", b"link", b"fun", b"pro", b"app", b"icu", b"biz", b"mobi", b"ltd",
    b"group", b"work", b"wang", b"ren", b"win", b"red", b"ink", b"art", b"run", b"cloud", b"plus", b"fit",
    b"fund", b"loan", b"money", b"cash", b"credit", b"bid", b"gov", b"edu", b"asia", b"space", b"website",
    b"world", b"today", b"center", b"email", b"life", b"news", b"video", b"tv", b"me", b"io", b"co", b"so",
    b"to", b"im", b"in", b"is", b"it", b"at", b"be", b"us", b"uk", b"hk", b"tw", b"mo", b"jp", b"kr", b"sg",
    b"my", b"ph", b"vn", b"th", b"id", b"ru", b"de", b"fr", b"eu", b"la", b"ws", b"tk", b"ml", b"ga", b"cf",
    b"gq", b"pw", b"gd", b"ly", b"gl", b"gg", b"sh",
];

/// Those among them that are English words: in a Latin text they need a scheme, a path or a digit.
pub(super) const AMBIGUOUS_TLDS: [&[u8]; 51] = [
    b"me", b"so", b"to", b"im", b"in", b"is", b"it", b"at", b"be", b"us", b"my", b"id", b"la", b"de", b"top",
    b"live", b"link", b"fun", b"pro", b"work", b"win", b"red", b"art", b"run", b"plus", b"fit", b"fund",
    b"loan", b"money", b"cash", b"credit", b"today", b"news", b"life", b"world", b"center", b"email",
    b"video", b"group", b"space", b"cloud", b"store", b"shop", b"club", b"tech", b"app", b"online", b"site",
    b"info", b"co", b"sh",
];

/// Those that are taken for one without a dot too.
pub(super) const SURE_TLDS: [&[u8]; 14] = [
    b"com", b"cn", b"net", b"org", b"top", b"xyz", b"vip", b"cc", b"club", b"info", b"site", b"online",
    b"shop", b"icu",
];

/// Hosts that hide where a link goes.
pub(super) const SHORTENERS: [&[u8]; 52] = [
    b"t.cn",
    b"url.cn",
    b"w.url.cn",
    b"dwz.cn",
    b"dwz.mk",
    b"dwz.win",
    b"dwz.date",
    b"suo.im",
    b"suo.nz",
    b"sourl.cn",
    b"sina.lt",
    b"985.so",
    b"mrw.so",
    b"c7.gg",
    b"u.to",
    b"rrd.me",
    b"0x9.me",
    b"6du.in",
    b"t.hk",
    b"x.co",
    b"bit.ly",
    b"goo.gl",
    b"tinyurl.com",
    b"is.gd",
    b"v.gd",
    b"t.co",
    b"ow.ly",
    b"tiny.cc",
    b"rb.gy",
    b"shorturl.at",
    b"cutt.ly",
    b"rebrand.ly",
    b"lnkd.in",
    b"buff.ly",
    b"s.id",
    b"reurl.cc",
    b"lihi.cc",
    b"lihi1.com",
    b"pse.is",
    b"psee.io",
    b"bitly.com",
    b"adf.ly",
    b"bc.vc",
    b"shorte.st",
    b"clck.ru",
    b"soo.gd",
    b"t.ly",
    b"n9.cl",
    b"qr.ae",
    b"s.yam.com",
    b"ppt.cc",
    b"m6z.cn",
];

/// Words for WeChat that an id may follow, folded.
pub(super) const WECHAT: [&str; 30] = [
    "微信", "薇信", "威信", "徽信", "维信", "卫信", "薇芯", "微芯", "徽芯", "威芯", "维芯", "卫芯", "薇心",
    "微心", "v信", "w信", "v芯", "加v", "加薇", "加微", "加威", "加w", "加徽", "薇", "weixin", "wechat",
    "vx", "wx", "vxin", "微信id",
];

/// Words for QQ.
pub(super) const QQ: [&str; 14] = [
    "qq",
    "扣扣",
    "企鹅",
    "球球",
    "秋秋",
    "蔻蔻",
    "叩叩",
    "扣q",
    "q群",
    "q号",
    "q裙",
    "加q",
    "抠抠",
    "企鹅群",
];

/// Words for Telegram, and for messengers with handles like its.
pub(super) const TELEGRAM: [&str; 8] =
    ["telegram", "tg", "飞机", "纸飞机", "小飞机", "电报", "蝙蝠", "telegramid"];

/// What may stand between a word for a messenger and the id.
pub(super) const CONNECTORS: [&str; 27] = [
    "号码",
    "账号",
    "号",
    "是",
    "为",
    "联系",
    "联系我",
    "咨询",
    "搜索",
    "搜",
    "群",
    "群号",
    "裙",
    "同步",
    "同号",
    "同",
    "客服",
    "老师",
    "助理",
    "经理",
    "id",
    ":",
    "添加",
    "加",
    "我",
    "复制",
    "交流群",
];
