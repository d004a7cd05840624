"""The command line: `python -m engines sweep | report | answer | advise | claims | export | data`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from engines import registry
from engines.core import UserError, resolve
from engines.datasets.cli import add_parser as add_data
from engines.runs import RunStore, lines, renew, report, tables

CASE = "its name, as `python -m engines cases` lists it"


def seed(text: str) -> int:
    """A seed from the command line. Raises ArgumentTypeError where it is none."""
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 0 on")
    return int(text)


def command_line() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(prog="python -m engines", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_sweep(commands)
    _add_report(commands)
    _add_answer(commands)
    _add_advise(commands)
    _add_claims(commands)
    _add_export(commands)
    add_data(commands)
    cases = commands.add_parser("cases", help="the case studies, a line each")
    cases.set_defaults(run=lambda chosen: print(*registry.cases(), sep="\n") or 0)
    return parser


def main(arguments: list[str] | None = None) -> int:
    chosen = command_line().parse_args(arguments)
    try:
        if getattr(chosen, "pairs", None):
            if not chosen.pairs.is_file():
                raise UserError(
                    f"{chosen.pairs} is no file: name one of lines with a sentence, a tab and its translation."
                )
            # Worker processes and pages that are started from here find the same task.
            os.environ["CROSSOVER_PAIRS"] = str(chosen.pairs.resolve())
        code: int = chosen.run(chosen)
        return code
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0


def _add_pairs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--pairs",
        type=Path,
        metavar="FILE.tsv",
        help="your own sentence pairs as a task: source, tab, target, a line each",
    )


def _own_tasks(chosen: argparse.Namespace) -> list[str]:
    """The tasks of a user's own pairs where some were given, else none in particular.

    Raises:
        UserError: the case has no task for them.
    """
    if not chosen.pairs:
        return []
    own = [task.slug for task in registry.case(chosen.case).tasks if task.slug.startswith("pairs_")]
    if not own:
        raise UserError(f"{chosen.case} takes no sentence pairs of your own: leave --pairs out.")
    return own


def _add_sweep(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("sweep", help="measure every run that is missing; goes on where it stopped")
    parser.add_argument("case", help=CASE)
    each = "; may be given several times (default: all"
    parser.add_argument("--task", action="append", default=[], help=f"one task of the case{each})")
    parser.add_argument("--engine", action="append", default=[], help=f"one engine of the case{each})")
    parser.add_argument(
        "--budget",
        action="append",
        default=[],
        type=float,
        help=f"an amount of data, in the task's unit{each} of the task's)",
    )
    parser.add_argument("--seed", action="append", default=[], type=seed, help=f"0, 1, 2, …{each} of the task's)")
    _add_pairs(parser)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once (default: all cores)")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--keep", action="store_true", help="keep every trained model, not only the default budgets'")
    parser.add_argument("--retry", action="store_true", help="measure failed runs again")
    parser.add_argument("--status", type=Path, help="a JSON file that tells how far the sweep is")

    def run(chosen: argparse.Namespace) -> int:
        from engines.sweep.command import sweep

        return sweep(
            chosen.case,
            chosen.task or _own_tasks(chosen),
            chosen.engine,
            chosen.budget,
            chosen.seed,
            max(1, chosen.jobs),
            chosen.device,
            chosen.keep,
            chosen.retry,
            chosen.status,
        )

    parser.set_defaults(run=run)


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("report", help="mean score and standard error by case, task, engine and budget")
    parser.add_argument("case", nargs="?", help=f"{CASE} (default: all)")
    _add_pairs(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--markdown", action="store_true", help="as tables for a README")
    form.add_argument("--into", type=Path, metavar="FILE", help="renew the tables between the marks of a README")

    def run(chosen: argparse.Namespace) -> int:
        if chosen.into:
            print(renew(chosen.into, registry.cases(), RunStore()))
            return 0
        chosen_cases = [registry.case(chosen.case)] if chosen.case else list(registry.cases().values())
        if chosen.markdown:
            print("\n\n".join(filter(None, (tables(case, RunStore()) for case in chosen_cases))))
            return 0
        if chosen.json:
            print(json.dumps([record for case in chosen_cases for record in report(case, RunStore())], indent=1))
            return 0
        found = [line for case in chosen_cases for line in lines(case, RunStore())]
        print("\n".join(found) or "No runs yet: make them with `python -m engines sweep CASE`.")
        return 0

    parser.set_defaults(run=run)


def _add_answer(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("answer", help="what a trained engine makes of an input, stage by stage")
    parser.add_argument("case", help=CASE)
    parser.add_argument("engine", help="its name, as `report` prints it")
    parser.add_argument("input", type=Path, help="a file, for instance a recording")
    parser.add_argument("--task", help="(default: the case's first, or that of --pairs)")
    _add_pairs(parser)
    parser.add_argument("--budget", type=float, help="nearest kept model (default: the largest)")
    parser.add_argument("--reading", default="", help="another way to read the engine, as `report` names it after a +")

    def run(chosen: argparse.Namespace) -> int:
        from engines.answer import answer

        task = chosen.task or next(iter(_own_tasks(chosen)), None)
        print(answer(chosen.case, chosen.engine, chosen.input, task, chosen.budget, chosen.reading))
        return 0

    parser.set_defaults(run=run)


def _add_claims(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("claims", help="the lecture, claim by claim: verdicts from runs and published results")
    parser.add_argument("--brief", action="store_true", help="the verdicts alone")

    def run(chosen: argparse.Namespace) -> int:
        from engines.claims import judge

        for each in judge(RunStore()):
            print(f"{each.claim.number:2} {each.claim.case:10} {each.verdict:18} {each.claim.text}")
            for evidence in [] if chosen.brief else each.evidence:
                print(f"     {evidence.speaks:8} {evidence.text} [{evidence.source}]")
        return 0

    parser.set_defaults(run=run)


def _add_export(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("export", help="write what a link to Explore shows: picture, page, report or data")
    parser.add_argument("link", help="copied from the browser, or the part from `explore?` on")
    kinds = "a .png, .svg, .html, .report.html, .csv or .parquet file"
    parser.add_argument("--to", type=Path, required=True, help=kinds)

    def run(chosen: argparse.Namespace) -> int:
        # By name: the engines know nothing of the pages, this command alone draws what they show.
        print(resolve("dashboard.takeaway:export")(chosen.link, chosen.to))
        return 0

    parser.set_defaults(run=run)


def _add_advise(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("advise", help="forecast, crossover and advice for the points of a CSV file")
    parser.add_argument("points", type=Path, help="CSV with the columns approach, size, score[, standard_error]")
    parser.add_argument("--higher-is-better", action="store_true", help="scores such as accuracy or BLEU")
    parser.add_argument("--best", type=float, help="the score of a perfect answer (default: 0, or 1 or 100)")
    parser.add_argument("--unit", default="", help="of the sizes, for instance h")
    parser.add_argument("--challenger", help="the approach asked about (default: the one that overtakes)")
    parser.add_argument("--horizon", type=float, help="how far to look (default: 100 times the data measured)")
    parser.add_argument("--target", type=float, help="the score wanted")
    parser.add_argument("--budget", type=float, help="money to be spent")
    parser.add_argument("--price", type=float, default=1.0, help="of one unit of data (default: 1)")
    parser.add_argument("--penalty", type=float, help="what missing the target costs; with it a plan is made")
    parser.add_argument("--available", type=float, help="data at hand, for the next measurement")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=seed, default=0, help="of what is drawn (default: 0)")

    def run(chosen: argparse.Namespace) -> int:
        from engines.curves.cli import advise

        return advise(chosen)

    parser.set_defaults(run=run)


if __name__ == "__main__":
    sys.exit(main())
