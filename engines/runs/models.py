"""The trained models that a sweep kept, found by what made them."""

from __future__ import annotations

from engines.core import Budget, CaseStudy, Engine, EngineInfo, Task, UserError, resolve
from engines.runs.run import RunSpec
from engines.runs.store import RunStore, opened


def kept_models(case: CaseStudy, task: Task, store: RunStore) -> dict[str, dict[float, RunSpec]]:
    """Engine name -> budget -> the run whose model was kept (of its lowest seed); engines and budgets in order.

    References are not among them: they are not trained here.
    """
    main = "reading = '' and test = 'test' and oracle = '' and side = '{}'"
    rows = store.present(case, task, ("engine", "pairs", "seed", "version"), main)
    found: dict[str, dict[float, RunSpec]] = {}
    for info in case.engines:
        mine = [row for row in rows if row["engine"] == info.name]
        for row in sorted(mine, key=lambda row: (row["pairs"], row["seed"])):
            spec = RunSpec(case.slug, task.slug, info.name, Budget(row["pairs"]), row["seed"], info.version)
            if store.model(spec).is_dir():
                found.setdefault(info.name, {}).setdefault(row["pairs"], spec)
    return found


def load_model(info: EngineInfo, spec: RunSpec, store: RunStore) -> Engine:
    """The fitted engine of a run.

    Raises:
        UserError: its model was not kept, or is damaged.
    """
    directory = store.model(spec)
    if not directory.is_dir():
        raise UserError(
            f"No trained {info.title.lower()} is kept for {spec.budget.pairs:g}: pick another budget, or train it with "
            f"`python -m engines sweep {spec.case} --task {spec.task} --engine {spec.engine} "
            f"--budget {spec.budget.pairs:g} --keep`."
        )
    try:
        with opened(directory) as whole:
            engine: Engine = resolve(info.target).load(whole)
    except Exception as error:  # whatever a file of other content makes an engine stumble over
        raise UserError(
            f"The trained model in {directory} is damaged ({error}): remove it and {store.path(spec)}, and sweep again."
        ) from error
    return engine
