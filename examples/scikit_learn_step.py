"""A pipeline on a real scikit-learn step, whose git repository this example makes.

The step trains a logistic regression on customers and tells for one of them how likely it is to leave. Its repository
has what a step's repository has: the code, a package that the code imports (`included_folders`), and the requirements
(`requirements_path`). The builder reads all of it and runs none of it, so scikit-learn need not be installed, neither
here nor where the builder is. The second half shows what the builder says when something is wrong.

    set -a; . .pipeloom/env; set +a
    .venv/bin/python examples/scikit_learn_step.py
"""

import secrets
from typing import Any

from step_repository import step_repository

import pipeloom

STEP_CODE = '''"""Predicts whether a customer leaves, with a logistic regression trained on the ones given."""

from features import as_row
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def predict_churn(customers, left, customer, regularisation=1.0):
    """Return how likely `customer` is to leave, and how well the model fits the customers it was trained on."""
    rows = [as_row(each) for each in customers]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=regularisation))
    model.fit(rows, left)
    return {
        "risk": float(model.predict_proba([as_row(customer)])[0][1]),
        "accuracy": float(model.score(rows, left)),
    }
'''
FEATURES_CODE = '''"""Turns customers into numbers."""

PLANS = ("basic", "premium")


def as_row(customer):
    """Return a customer as the model sees it."""
    return [customer["months"], customer["calls"], PLANS.index(customer["plan"])]
'''
FILES = {
    "steps/churn.py": STEP_CODE,
    "features/__init__.py": FEATURES_CODE,
    "requirements.txt": "scikit-learn>=1.5,<2\nnumpy>=1.26\n",
}
INPUTS: list[dict[str, Any]] = [
    {"name": "customers", "data_type": "array", "is_required": True, "description": "Objects: months, calls, plan"},
    {"name": "left", "data_type": "array", "is_required": True, "description": "Whether each of them left"},
    {"name": "customer", "data_type": "json", "is_required": True},
    {"name": "regularisation", "data_type": "number", "default_value": 1.0},
]
OUTPUTS: list[dict[str, Any]] = [
    {"name": "risk", "data_type": "number", "description": "From 0 (stays) to 1 (leaves)"},
    {"name": "accuracy", "data_type": "number"},
]


def main() -> None:
    """Create the step, compose a pipeline on it, see what a mistake is answered with, and delete both."""
    mark = secrets.token_hex(3)  # so that two runs never meet
    step, pipeline = f"sklearn-{mark}", f"churn-{mark}"
    with pipeloom.Client() as client, step_repository(FILES) as repository:
        asked: dict[str, Any] = {
            "function_path": "steps/churn.py",
            "container_config": {
                "repository_url": str(repository),
                "included_folders": ["steps", "features"],
                "requirements_path": "requirements.txt",
            },
            "inputs": INPUTS,
            "outputs": OUTPUTS,
        }
        created = client.create_step(step, function_name="predict_churn", **asked)
        try:
            print(f"The step {step} is Ready, of commit {created['creation_info']['commit_id']}.")
            made = client.create_pipeline(pipeline, step)
            print(f"The pipeline {pipeline} takes {', '.join(each['input_name'] for each in made['inputs'])}")
            print(f"and gives {', '.join(each['output_name'] for each in made['outputs'])}.")
            make_mistakes(client, f"mistake-{mark}", asked)
        finally:
            client.delete_step(step, force_dependents_deletion=True)
            print(f"Deleted the step {step} and the pipeline on it.")


def make_mistakes(client: pipeloom.Client, name: str, asked: dict[str, Any]) -> None:
    """Ask for a function that is not there, then for one with an input that it does not take."""
    more_inputs = [*INPUTS, {"name": "colour", "data_type": "string"}]
    for function, inputs in (("predict_chrun", INPUTS), ("predict_churn", more_inputs)):
        try:
            client.create_step(name, function_name=function, **(asked | {"inputs": inputs}))
        except pipeloom.Refused as refusal:
            print(f"Refused with {refusal.code}: {refusal.message}")
        client.delete_step(name)  # one that failed is still listed, until its name is used again


if __name__ == "__main__":
    main()
