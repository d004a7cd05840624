"""The catalogue's entries. Row counts and contents are those of the files that the stored runs were measured on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engines.core import UserError
from engines.datasets.catalogue import Dataset, Source

_SPEECHOCEAN = "Zhang et al. 2021, speechocean762: An Open-Source Non-native English Speech Corpus for Pronunciation "
_SPEECHOCEAN += "Assessment, Interspeech"
_OPENSLR_101 = Source(
    urls=(
        "https://www.openslr.org/resources/101/speechocean762.tar.gz",
        "https://openslr.trmal.net/resources/101/speechocean762.tar.gz",
        "https://openslr.elda.org/resources/101/speechocean762.tar.gz",
    ),
    file="speechocean762.tar.gz",
    bytes=545_000_000,
)
_AUDIO = {"sample_rate": "int64", "seconds": "double", "audio": "binary"}
_BONES = tuple(f"{bone}{finger}" for bone in ("MC", "PP") for finger in range(1, 6))
_BONES += tuple(f"{bone}{finger}" for bone, first in (("MP", 2), ("DP", 1)) for finger in range(first, 6))
_BY_HAND = "the project cannot yet make {file} from {page}, so name a directory that holds it in CROSSOVER_DATA"


def _multi30k(code: str) -> tuple[Source, ...]:
    """Both languages' files of the three parts, in the order that the conversion takes them."""
    return tuple(
        Source(
            urls=(f"https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/{part}.{side}.gz",),
            file=f"multi30k_{part}.{side}.gz",
            bytes=size,
        )
        for part, size in (("train", 600_000), ("val", 22_000), ("test_2016_flickr", 22_000))
        for side in ("en", code)
    )


_ENTRIES = (
    Dataset(
        name="speechocean762",
        title="speechocean762",
        what="English sentences read by children and adults whose first language is Mandarin, 16 kHz: all 125 training "
        "speakers and 64 of the 125 test speakers",
        licence="CC BY 4.0",
        citation=_SPEECHOCEAN,
        page="https://www.openslr.org/101/",
        file="speechocean762.parquet",
        rows=3780,
        columns={
            "id": "string",
            "split": "string",
            "speaker": "string",
            "age": "int64",
            "gender": "string",
            "text": "string",
            "phones": "list<string>",
            **_AUDIO,
        },
        content="8e7747e0742ef6f96872b794f34a84d6dceac7bf7a2bfacd1a30afcaf651a3d1",
        sources=(_OPENSLR_101,),
        convert="engines.datasets.convert:speechocean762",
    ),
    Dataset(
        name="speechocean762_lexicon",
        title="speechocean762, pronunciations",
        what="how the words of speechocean762 are pronounced, in ARPAbet; several ways a word possible",
        licence="CC BY 4.0",
        citation=_SPEECHOCEAN,
        page="https://www.openslr.org/101/",
        file="speechocean762_lexicon.parquet",
        rows=2861,
        columns={"word": "string", "phones": "string"},
        content="5e4c0d5f1048b268281108c1e9a6338e51a958394e73735df7abaf903db19ea0",
        sources=(_OPENSLR_101,),
        convert="engines.datasets.convert:speechocean762_lexicon",
    ),
    Dataset(
        name="fsdd",
        title="Free Spoken Digit Dataset",
        what="the digits zero to nine, 50 times each by six speakers, 8 kHz",
        licence="CC BY-SA 4.0",
        citation="Jackson et al. 2018, Jakobovski/free-spoken-digit-dataset, Zenodo, doi:10.5281/zenodo.1342401",
        page="https://github.com/Jakobovski/free-spoken-digit-dataset",
        file="fsdd.parquet",
        rows=3000,
        columns={
            "id": "string",
            "split": "string",
            "speaker": "string",
            "digit": "int64",
            "take": "int64",
            **_AUDIO,
        },
        content="647c7af2c836adb52734c00a4918405971939424e7dc70299225e4193755c0aa",
        sources=(
            # The branch: of no release is it known here that it holds these very recordings. `content` tells.
            Source(
                urls=(
                    "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/heads/master.tar.gz",
                    "https://codeload.github.com/Jakobovski/free-spoken-digit-dataset/tar.gz/refs/heads/master",
                ),
                file="free-spoken-digit-dataset.tar.gz",
                bytes=16_000_000,
            ),
        ),
        convert="engines.datasets.convert:fsdd",
    ),
    Dataset(
        name="espeak_commands",
        title="Spoken commands (synthetic)",
        what="commands of a small grammar voiced by espeak-ng on this machine, with noise and room echo added; "
        "no person spoke them",
        licence="made here from a seed; espeak-ng, the program that speaks, is GPL-3.0-or-later",
        citation="espeak-ng contributors, eSpeak NG, https://github.com/espeak-ng/espeak-ng",
        page="https://github.com/espeak-ng/espeak-ng",
        generated=True,
    ),
    Dataset(
        name="lfw",
        title="Labeled Faces in the Wild",
        what="photographs of 2,897 people, 150 x 150; the face is the central 1/2.2",
        licence="news photographs, for research",
        citation="Huang et al. 2007, Labeled Faces in the Wild, University of Massachusetts, Technical Report 07-49",
        page="http://vis-www.cs.umass.edu/lfw/",
        file="lfw.parquet",
        rows=9357,
        columns={"person": "string", "take": "int64", "width": "int64", "height": "int64", "image": "binary"},
        content="4348dbc4453ba86367ef2b74aad346e9f7bfeaf403c1cbaca83f887b43d5d649",
        sources=(
            Source(
                # The copy that scikit-learn's fetch_lfw_people downloads; the university's own host is often away.
                urls=("https://ndownloader.figshare.com/files/5976018", "http://vis-www.cs.umass.edu/lfw/lfw.tgz"),
                file="lfw.tgz",
                bytes=180_566_744,
                sha256="055f7d9c632d7370e6fb4afc7468d40f970c34a80d4c6f50ffec63f5a8d536c0",
            ),
        ),
        convert="engines.datasets.pictures:lfw",
    ),
    Dataset(
        name="bsds500_backgrounds",
        title="Berkeley Segmentation Data Set 500, photographs",
        what="natural photographs for backgrounds; some show people",
        licence="non-commercial research",
        citation="Arbelaez et al. 2011, Contour Detection and Hierarchical Image Segmentation, IEEE TPAMI",
        page="https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/resources.html",
        file="bsds500_backgrounds.parquet",
        rows=500,
        columns={"id": "string", "width": "int64", "height": "int64", "image": "binary"},
        content="bb016bcc8433ee28a6a2fa82cb077b3fee3ac162a094ec3b22ab2920b351e52d",
        sources=(
            Source(
                urls=(
                    "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz",
                    "http://www.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz",
                ),
                file="BSR_bsds500.tgz",
                bytes=70_763_455,
            ),
        ),
        convert="engines.datasets.pictures:bsds500",
    ),
    *(
        Dataset(
            name=f"multi30k_en_{code}",
            title=f"Multi30k, English and {language}",
            what="captions of photographs: 29,000 pairs to train on, 1,014 to validate, 1,000 to test",
            licence="research, non-commercial",
            citation="Elliott et al. 2016 and 2017, Multi30K: Multilingual English-German Image Descriptions",
            page="https://github.com/multi30k/dataset",
            file=f"multi30k_en_{code}.parquet",
            rows=31014,
            columns={"id": "string", "split": "string", "en": "string", code: "string"},
            content=content,
            sources=_multi30k(code),
            convert=f"engines.datasets.convert:multi30k_en_{code}",
        )
        for code, language, content in (
            ("fr", "French", "8742b9f7971831f41f3d52e03f7a52fdd16bf449420ff97287f8f9f167e5ceb1"),
            ("de", "German", ""),
        )
    ),
    Dataset(
        name="hand_bone_lengths",
        title="Lengths of hand bones",
        what="19 bones of the hands of 334 children aged 9 to 18, in mm, from experts' landmarks on radiographs",
        licence="figures derived from published landmarks; the radiographs are the Digital Hand Atlas (USC)",
        citation="Payer et al. 2019, Integrating spatial configuration into heatmap regression based CNNs "
        "for landmark localization, Medical Image Analysis",
        page="https://github.com/christianpayer/MedicalDataAugmentationTool-HeatmapRegression",
        file="hand_bone_lengths.csv",
        rows=334,
        columns=dict.fromkeys(("id", "sex", "age_years", *_BONES), ""),
        by_hand=_BY_HAND,
    ),
    Dataset(
        name="rsna_bone_age",
        title="RSNA Pediatric Bone Age",
        what="12,611 hand radiographs with the bone age in months that radiologists read, and the sex",
        licence="non-commercial research, after agreeing to the RSNA's terms; not to be passed on, nobody in it to be "
        "identified",
        citation="Halabi et al. 2019, The RSNA Pediatric Bone Age Machine Learning Challenge, Radiology 290(2)",
        page="https://www.rsna.org/rsnai/ai-image-challenge/rsna-pediatric-bone-age-challenge-2017",
        file="rsna_bone_age/boneage-training-dataset.csv",
        rows=12611,
        columns=dict.fromkeys(("id", "boneage", "male"), ""),
        by_hand="its terms (non-commercial research, not to be passed on) must be agreed to by whoever uses it, so "
        "download the training pictures and their table from {page}, unpack both into a folder rsna_bone_age, so that "
        "{file} is there with a folder boneage-training-dataset of pictures beside it, and name the directory that "
        "holds rsna_bone_age in CROSSOVER_DATA",
        brought=True,
    ),
    Dataset(
        name="simulated_hands",
        title="Hand radiographs (simulated)",
        what="radiographs of hands that never were, made on this machine from a seed, with the truth of every bone; "
        "not for clinical use",
        licence="made here from a seed; growth after the hand_bone_lengths and CDC growth charts (public domain)",
        citation="Kuczmarski et al. 2002, 2000 CDC Growth Charts for the United States; Greulich and Pyle 1959, "
        "Radiographic Atlas of Skeletal Development of the Hand and Wrist",
        page="https://www.cdc.gov/growthcharts/",
        generated=True,
    ),
    Dataset(
        name="scaling_benchmark",
        title="Benchmark of neural scaling laws",
        what="learning curves, each with a part to fit and a part to predict",
        licence="Apache 2.0",
        citation="Alabdulmohsin, Neyshabur, Zhai 2022, Revisiting Neural Scaling Laws in Language and Vision, NeurIPS",
        page="https://github.com/google-research/google-research/tree/master/revisiting_neural_scaling_laws",
        file="scaling_benchmark.csv",
        rows=8147,
        columns=dict.fromkeys(("domain", "task", "model", "seen_examples", "loss", "training"), ""),
        by_hand=_BY_HAND,
    ),
    Dataset(
        name="lcdb11",
        title="Learning Curves Database 1.1",
        what="test error by training-set size of up to 28 learners on 132 data sets",
        licence="CC BY 4.0",
        citation="Yan, Mohr and Viering 2025, LCDB 1.1: A Database Illustrating Learning Curves Are More Ill-Behaved "
        "Than Previously Thought",
        page="https://github.com/learning-curve-research/LCDB-1.1",
        file="lcdb11.parquet",
        rows=227485,
        columns={
            "dataset_id": "int64",
            "dataset": "string",
            "learner": "string",
            "train_size": "int64",
            "test_error": "double",
            "test_error_stderr": "double",
        },
        by_hand=_BY_HAND,
    ),
)

CATALOGUE: Mapping[str, Dataset] = MappingProxyType({entry.name: entry for entry in _ENTRIES})


def dataset(name: str) -> Dataset:
    """The catalogue entry of that name.

    Raises:
        UserError: there is none.
    """
    if name not in CATALOGUE:
        raise UserError(f"There is no data set {name!r}: choose one of {', '.join(CATALOGUE)}.")
    return CATALOGUE[name]
