//! A new rule to start from.

use yumen_rules::verdict::Typology;

/// The TOML of a rule to fill in: it is in shadow, and isn't built before its texts are written.
#[must_use]
pub fn rule(id: &str, typology: Typology) -> String {
    format!(
        "# 写明它抓的手法、依据和已知误拦。 Say what practice it catches, its sources, and its known false positives.\n\
         [[rule]]\n\
         id = \"{id}\"\n\
         typology = \"{}\"\n\
         title = \"{}：\"\n\
         title_en = \"\"\n\
         score = 45\n\
         ladder = \"shadow\"\n\
         match.practice = {{ any = [] }}\n\
         match.ask = {{ any = [] }}\n\
         when = \"practice && ask && !sender.registered\"\n\
         hit = []\n\
         miss = []\n",
        typology.id(),
        typology.title_zh()
    )
}
