"""`python -m engines data list | fetch NAME | verify [NAME]`."""

from __future__ import annotations

import argparse

from engines.core import UserError
from engines.datasets import store
from engines.datasets.entries import CATALOGUE, dataset
from engines.datasets.fetch import fetch
from engines.datasets.verify import verify


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("data", help="the data sets: what they are, fetch one, check what is here")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="every data set: licence, citation, size, where it is").set_defaults(run=_list)
    one = actions.add_parser("fetch", help="download a data set and make its one ready file")
    one.add_argument("name", nargs="+", metavar="NAME")
    one.set_defaults(run=_fetch)
    check = actions.add_parser("verify", help="check the ready files that are here")
    check.add_argument("name", nargs="*", metavar="NAME")
    check.set_defaults(run=_verify)


def _list(chosen: argparse.Namespace) -> int:
    for name, entry in CATALOGUE.items():
        found = store.find(name)
        size = f", {entry.bytes / 1e6:.0f} MB to download" if entry.bytes and found is None else ""
        rows = f" ({entry.rows:,} rows)" if entry.rows else ""
        print(f"{name}: {entry.title}{rows}")
        print(f"  {entry.what}")
        print(f"  licence: {entry.licence}; cite: {entry.citation}")
        print(f"  {entry.page}")
        print(f"  here: {found}" if found else f"  not a file here{size}: {store.how_to_get(name)}")
    return 0


def _fetch(chosen: argparse.Namespace) -> int:
    for name in chosen.name:
        entry = dataset(name)
        had = store.find(name)
        file = had or fetch(entry)
        remark = verify(entry, file)
        print(f"{name}: {'already here' if had else 'fetched'}, {file}{f' ({remark})' if remark else ''}")
        print(f"  licence: {entry.licence}; cite: {entry.citation}")
    return 0


def _verify(chosen: argparse.Namespace) -> int:
    """Every file is checked, also after one that is wrong."""
    names = chosen.name or [name for name in CATALOGUE if store.find(name)]
    wrong = []
    for name in names:
        try:
            remark = verify(dataset(name), store.path(name))
        except UserError as error:
            remark = str(error).removesuffix(".")
        if remark:
            wrong.append(name)
        print(f"{name}: {f'{remark}.' if remark else 'as it should be'}")
    if not names:
        print("No data set is here yet: `python -m engines data list` says what there is.")
    return 2 if wrong else 0
