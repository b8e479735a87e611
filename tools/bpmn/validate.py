"""Checks BPMN files against the schemas of the OMG, and looks for deadlocks: python validate.py <file.bpmn>...

Exits with 1 and one line per finding when a file is not valid or its flow is not sound, with 2 when there is nothing to
check.
"""

import importlib.util
import sys
from pathlib import Path

import soundness
from lxml import etree


def schema() -> etree.XMLSchema:
    """The schema that SpiffWorkflow ships; importing the package itself would only cost time."""
    package = importlib.util.find_spec("SpiffWorkflow")
    if package is None or not package.submodule_search_locations:
        sys.exit("SpiffWorkflow is not installed; see requirements.txt")
    root = Path(list(package.submodule_search_locations)[0])
    return etree.XMLSchema(etree.parse(str(root / "bpmn" / "parser" / "schema" / "BPMN20.xsd")))


def findings(schema: etree.XMLSchema, path: str) -> list[str]:
    """Everything that is wrong with one file."""
    try:
        document = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True))
    except (OSError, etree.XMLSyntaxError) as error:
        return [f"{path}: {error}"]
    if schema.validate(document):
        return [f"{path}: {finding}" for finding in soundness.findings(document)]
    return [f"{path}:{entry.line}: {entry.message}" for entry in schema.error_log]


def main(paths: list[str]) -> int:
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    if not soundness.is_awake():
        sys.exit("the analyzer does not find the deadlock that soundness.py has for it")
    bpmn = schema()
    wrong = [finding for path in paths for finding in findings(bpmn, path)]
    for finding in wrong:
        print(finding)
    print(f"schema and soundness: {len(paths)} files, {len(wrong)} findings")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
