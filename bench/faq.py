"""Measures how well the FAQ answers typed questions: `make bench-faq`.

Precision is the part of the answers that are right; recall is the part of the questions with a topic that get the right
answer. Only the first topic found counts. `faq_questions/tuning.txt` is what the search was tuned with, `held_out.txt`
what it was not.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.content.catalogue import load
from bot.content.search import TopicSearch

QUESTIONS = Path(__file__).with_name("faq_questions")
NO_TOPIC = "-"


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody typed, and the topic that should answer it, if any should."""

    topic: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A question, and the first topic that was found for it."""

    question: Question
    topic: str | None

    @property
    def is_right(self) -> bool:
        """Whether the topic is the one that should answer, or rightly none."""
        return self.topic == self.question.topic


@dataclass(frozen=True, slots=True)
class Score:
    """All answers to a list of questions."""

    answers: Sequence[Answer]

    @property
    def precision(self) -> float:
        """The part of the topics found that are right."""
        found = [answer for answer in self.answers if answer.topic is not None]
        return sum(answer.is_right for answer in found) / max(len(found), 1)

    @property
    def recall(self) -> float:
        """The part of the questions with a topic for which it was found."""
        asked = [answer for answer in self.answers if answer.question.topic is not None]
        return sum(answer.is_right for answer in asked) / max(len(asked), 1)


def read(path: Path) -> Iterator[Question]:
    """The questions of a file: each line is a topic, or `-` for none, a space, and the text."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            topic, text = line.split(" ", 1)
            yield Question(None if topic == NO_TOPIC else topic, text)


def measure(topics_in: Callable[[str], Sequence[str]], questions: Sequence[Question]) -> Score:
    """Ask every question."""
    return Score([Answer(question, next(iter(topics_in(question.text)), None)) for question in questions])


def main() -> None:
    """Print precision and recall for each file, and every miss if that is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.faq", description="How well the FAQ answers typed questions."
    )
    parser.add_argument("--misses", action="store_true", help="print every wrong answer to a tuning question")
    options = parser.parse_args()
    topics_in = TopicSearch(load(days=30).faq).topics
    for name in ("tuning", "held_out"):
        questions = list(read(QUESTIONS / f"{name}.txt"))
        score = measure(topics_in, questions)
        print(f"{name}: {len(questions)} questions, precision {score.precision:.1%}, recall {score.recall:.1%}")
        if options.misses and name == "tuning":
            for answer in score.answers:
                if not answer.is_right:
                    expected, found = answer.question.topic or NO_TOPIC, answer.topic or NO_TOPIC
                    print(f"  {answer.question.text}: {found} in place of {expected}")


if __name__ == "__main__":
    main()
