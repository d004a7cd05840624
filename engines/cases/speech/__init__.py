"""Speech: audio -> MFCC -> phonemes -> words -> transcript, or audio -> transcript in one network."""

from engines.core import CaseStudy, EngineInfo, Metric, Spec, Task
from engines.ml import audio

WER = Metric(
    name="word error rate",
    unit="%",
    lower_is_better=True,
    measure="engines.ml.wer:measure",
    combine="engines.ml.wer:combine",
)
TEXT = Spec("text")
# Speaker after speaker of the test.
# fmt: off
_SENTENCES_OF_SPEAKERS = (
    15, 9, 10, 11, 8, 11, 10, 7, 8, 9, 8, 7, 8, 9, 9, 10, 8, 10, 9, 10, 6, 11, 6, 5, 12, 12, 11, 11, 10, 11, 10,
    9, 8, 7, 9, 12, 11, 9, 13, 10, 10, 10, 10, 7, 9, 6, 9, 11, 10, 12, 9, 11, 8, 9, 12, 9, 10, 11, 11, 9, 7, 13, 8,
)
# fmt: on

SENTENCES = Task(
    slug="sentences",
    title="Read sentences",
    summary="English sentences read by 125 children and adults whose first language is Mandarin, tested on 63 others. "
    "Open vocabulary: no sentence of the test is heard in training.",
    x=Spec("waveform", unit="s", shape=(None,), rate=16000),
    y=TEXT,
    metric=WER,
    unit="hours",
    load="engines.cases.speech.data:sentences",
    budgets=(0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.87),
    models=(0.025, 0.1, 0.4, 2.87),
    tiny=0.01,
    simulated=False,
    datasets=("speechocean762", "speechocean762_lexicon"),
    alike=_SENTENCES_OF_SPEAKERS,
)
DIGITS = Task(
    slug="digits",
    title="Spoken digits",
    summary="Strings of one to seven digits, joined from single digits that four people recorded, with pauses between.",
    x=Spec("waveform", unit="s", shape=(None,), rate=8000),
    y=TEXT,
    metric=WER,
    unit="hours",
    load="engines.cases.speech.data:digits",
    budgets=(0.003, 0.006, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.3),
    models=(0.006, 0.025, 0.05, 0.3),
    tiny=0.003,
    simulated=False,
    datasets=("fsdd",),
    variants={"unseen_speakers": "two speakers of whom nothing was trained on"},
)
COMMANDS = Task(
    slug="commands",
    title="Spoken commands (synthetic)",
    summary="Commands of a small grammar of 305 words, voiced by espeak-ng in eight accents and 58 voices, with noise "
    "and room echo added; 12 other voices speak the test.",
    x=Spec("waveform", unit="s", shape=(None,), rate=16000),
    y=TEXT,
    metric=WER,
    unit="hours",
    load="engines.cases.speech.data:commands",
    budgets=(1 / 30, 0.1, 0.25, 0.7, 2.0, 5.0, 12.0, 30.0),
    models=(1 / 30, 0.1, 0.7, 2.0),
    tiny=0.01,
    simulated=True,
    datasets=("espeak_commands",),
)

CASE = CaseStudy(
    slug="speech",
    place=1,
    on_gpu=True,
    title="Speech",
    question="From audio to transcript: phonemes and words on the way, or one network?",
    tasks=(SENTENCES, DIGITS, COMMANDS),
    engines=(
        EngineInfo(
            name="pipeline",
            title="Pipeline",
            shape="pipeline",
            version=1,
            target="engines.cases.speech.pipeline:Pipeline",
            summary="MFCC, GMM-HMM phonemes, pronunciation lexicon, n-gram language model, beam search.",
            supervision=("pronunciation lexicon of the task's whole vocabulary",),
            readings={"own_lexicon": "with the words of its own transcripts alone"},
        ),
        EngineInfo(
            name="hybrid",
            title="Hybrid",
            shape="hybrid",
            version=2,
            target="engines.cases.speech.hybrid:Hybrid",
            summary="A network gives the phonemes; lexicon, language model and search are the pipeline's.",
            supervision=("pronunciation lexicon of the task's whole vocabulary",),
            readings={"own_lexicon": "with the words of its own transcripts alone"},
        ),
        EngineInfo(
            name="end_to_end",
            title="End-to-end",
            shape="end_to_end",
            version=2,
            target="engines.cases.speech.end_to_end:EndToEnd",
            summary="Log-mel spectrogram to characters in one network trained with CTC.",
            readings={"language_model": "with the pipeline's lexicon and language model"},
        ),
        EngineInfo(
            name="pocketsphinx",
            title="pocketsphinx",
            shape="pipeline",
            version=2,
            target="engines.cases.speech.references:PocketSphinx",
            summary="A pipeline as shipped: US English phonemes, dictionary and language model trained elsewhere.",
            supervision=("trained elsewhere, on much more speech and text",),
            reference=True,
        ),
        EngineInfo(
            name="wav2vec2",
            title="wav2vec 2.0",
            shape="end_to_end",
            version=1,
            target="engines.cases.speech.references:Wav2Vec2",
            summary="An end-to-end network as shipped, its 360 MB of weights downloaded where there is a network.",
            supervision=("trained elsewhere, on 960 h of read English",),
            reference=True,
        ),
    ),
    decode="engines.ml.audio:decode",
    remark="engines.ml.audio:cut",
    accepts=audio.ACCEPTS,
    limits=f"English speech, {audio.LIMITS}",
    examples="engines.cases.speech.data:examples",
    reference="engines.cases.speech.reference:reference",
)
