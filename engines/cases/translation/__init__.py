"""Translation: tokens -> phrases -> search -> text, or text -> text in one network."""

from engines.cases.translation.tasks import tasks
from engines.core import CaseStudy, EngineInfo

CASE = CaseStudy(
    slug="translation",
    place=3,
    on_gpu=True,
    title="Translation",
    question="From English to French: phrases and their order on the way, or one network?",
    tasks=tasks(),
    engines=(
        EngineInfo(
            name="pipeline",
            title="Pipeline",
            shape="pipeline",
            version=4,
            target="engines.cases.translation.pipeline:Pipeline",
            summary="Word alignment, phrase table, reordering, 5-gram language model, stack search, tuned weights.",
            readings={"monolingual": "with a language model of the French of all training pairs"},
        ),
        EngineInfo(
            name="hybrid",
            title="Hybrid",
            shape="hybrid",
            version=4,
            target="engines.cases.translation.hybrid:Hybrid",
            summary="The pipeline proposes 60 translations; a network trained on the same pairs helps to choose.",
        ),
        EngineInfo(
            name="end_to_end",
            title="End-to-end",
            shape="end_to_end",
            version=2,
            target="engines.cases.translation.end_to_end:EndToEnd",
            summary="An encoder-decoder Transformer over subwords, beam search.",
        ),
    ),
    decode="engines.cases.translation.data:decode",
    accepts=("txt",),
    limits="UTF-8 text of up to 400 words; several sentences are translated one by one",
    examples="engines.cases.translation.data:examples",
    reference="engines.cases.translation.data:reference",
    longest=4000,
    truths={"n_best": "best of its candidates", "reranked": "best of its candidates"},
)
