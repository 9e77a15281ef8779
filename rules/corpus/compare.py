#!/usr/bin/env python3
"""What a data scientist would do in an afternoon, beside `yumen screen`: character n-grams by TF-IDF with logistic regression
(scikit-learn), and fastText, trained on labelled TSVs and tried on others that neither saw.

    pip install scikit-learn fasttext-wheel
    python3 compare.py --yumen target/release/yumen --train rules/corpus/messages.tsv --rules rules/packs \\
        --test scam.tsv --test ham.tsv

A file has a label, perhaps a variant, and the text, separated by tabs; a label that begins with `ham` (or is `0`, `normal`, `legit`)
is honest. The models give a score: their threshold is set on the test file itself, so that they block as many honest messages as
`yumen screen` does, and no more. That favours the models: nobody knows that threshold beforehand. Speed is processor time of one
thread, the reading of the file included, as the time that three runs take at least.
"""

import argparse
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import tomllib


def rows(path):
    """(is scam, variant, text) of each line."""
    found = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            parts = line.rstrip("\n").split("\t")
            if line.startswith("#") or len(parts) < 2 or parts[0] == "label" or not parts[-1].strip():
                continue
            label = parts[0].lower()
            ham = label.startswith(("ham", "normal", "legit")) or label == "0"
            found.append((not ham, parts[1] if len(parts) > 2 else "plain", parts[-1].strip()))
    return found


def examples(folder):
    """The rules' own texts: `hit` is scam; `miss` and those of suppressions are honest. `yumen rules train` learns from them too."""
    found = []
    for path in sorted(pathlib.Path(folder).rglob("*.toml")):
        file = tomllib.loads(path.read_text(encoding="utf-8"))
        for section, field, scam in (("rule", "hit", True), ("rule", "miss", False), ("suppress", "hit", False)):
            for item in file.get(section, []):
                texts = item.get(field, [])
                for text in [texts] if isinstance(texts, str) else texts:
                    text = text if isinstance(text, str) else text.get("text")
                    if text:
                        found.append((scam, "plain", text))
    return found


def processor_seconds(run):
    """The least of three runs, of this process and its children."""
    times = []
    for _ in range(3):
        before = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        result = run()
        after = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        times.append(after - before)
    return min(times), result


class Yumen:
    name = "yumen screen"

    def __init__(self, program, pack):
        self.command = [*program.split(), "screen", "--json", "--threads", "1", "--header", "false"]
        self.command += ["--pack", pack] if pack else []

    def screen(self, path):
        out = subprocess.run([*self.command, path], capture_output=True, text=True, check=True).stdout
        return [1.0 if json.loads(line)["verdict"] in ("reject", "drop", "hold") else 0.0 for line in out.splitlines()]

    def scores(self, texts):
        with tempfile.TemporaryDirectory() as folder:
            empty, full = os.path.join(folder, "empty.tsv"), os.path.join(folder, "all.tsv")
            with open(full, "w", encoding="utf-8") as file:
                file.writelines(text.replace("\t", " ") + "\n" for text in texts)
            with open(empty, "w", encoding="utf-8") as file:
                file.write("x\n")
            # What loading the pack takes isn't the message's.
            loading, _ = processor_seconds(lambda: self.screen(empty))
            seconds, scores = processor_seconds(lambda: self.screen(full))
        return max(seconds - loading, 1e-9), scores


class Tfidf:
    name = "TF-IDF char 1–4 + logistic regression"

    def __init__(self, train):
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        self.model = make_pipeline(
            TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True),
            LogisticRegression(C=20, max_iter=2000, class_weight="balanced"),
        )
        self.model.fit([text for _, _, text in train], [scam for scam, _, _ in train])

    def scores(self, texts):
        return processor_seconds(lambda: list(self.model.predict_proba(texts)[:, 1]))


class FastText:
    name = "fastText, char 1–4"

    def __init__(self, train):
        import fasttext

        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
            for scam, _, text in train:
                file.write(f"__label__{'scam' if scam else 'ham'} {self.spaced(text)}\n")
            file.flush()
            self.model = fasttext.train_supervised(
                file.name, epoch=25, lr=0.5, wordNgrams=4, dim=50, minCount=1, thread=1, verbose=0
            )

    @staticmethod
    def spaced(text):
        """Characters as words, since Chinese has no blanks; the word n-grams are those of characters then."""
        return " ".join(text.replace("\n", " "))

    def score(self, text):
        found = self.model.f.predict(self.spaced(text) + "\n", 2, 0.0, "strict")
        return next((chance for chance, label in found if label == "__label__scam"), 0.0)

    def scores(self, texts):
        return processor_seconds(lambda: [self.score(text) for text in texts])


def threshold(ham, allowed):
    """The least score above which no more than `allowed` honest messages are."""
    ordered = sorted(ham, reverse=True)
    return ordered[allowed] if allowed < len(ordered) else -1.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--yumen", required=True, help="the program, such as target/release/yumen")
    parser.add_argument("--pack", help="a pack or a folder of rules; the project's own by default")
    parser.add_argument("--train", action="append", required=True, help="labelled TSV to train on")
    parser.add_argument("--rules", help="a folder of rules whose own examples are trained on too")
    parser.add_argument("--test", action="append", required=True, help="labelled TSV to try on")
    parser.add_argument("--repeat", type=int, default=1, help="messages are judged so many times over, for speed")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    random.seed(1)
    train = [row for path in args.train for row in rows(path)]
    train += examples(args.rules) if args.rules else []
    test = [row for path in args.test for row in rows(path)]
    seen = {text for _, _, text in train}
    test = [row for row in test if row[2] not in seen]
    random.shuffle(train)
    texts = [text for _, _, text in test] * args.repeat
    ham = [at for at, row in enumerate(test) if not row[0]]
    variants = sorted({row[1] for row in test if row[0]})
    print(f"trained on {len(train)}, tried on {len(test)} ({len(ham)} honest)", file=sys.stderr)
    models = [Yumen(args.yumen, args.pack), Tfidf(train)]
    try:
        models.append(FastText(train))
    except ImportError:
        print("fastText isn't installed: left out", file=sys.stderr)
    allowed, table = None, []
    for model in models:
        seconds, scores = model.scores(texts)
        scores = scores[: len(test)]
        honest = [scores[at] for at in ham]
        if allowed is None:
            allowed, limit = sum(score > 0.5 for score in honest), 0.5
        else:
            limit = threshold(honest, allowed)
        row = {"model": model.name, "ham_blocked": sum(score > limit for score in honest), "ham": len(ham)}
        for variant in variants:
            scam = [scores[at] for at, row in enumerate(test) if row[0] and row[1] == variant]
            row[f"recall {variant}"] = round(sum(score > limit for score in scam) / max(len(scam), 1), 4)
        row["messages_a_second"] = round(len(texts) / seconds)
        table.append(row)
    if args.json:
        print(json.dumps(table, ensure_ascii=False, indent=1))
        return
    for row in table:
        print("\t".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
