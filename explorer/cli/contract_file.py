"""Read the file of expectations for ``check --expect``: YAML or JSON, with limits on size and nesting."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ..errors import ExplorerError
from ..spec.fields import quote

if TYPE_CHECKING:
    from ..inspection.contract import Expectations

MAX_BYTES = 256 * 1024
MAX_NESTING = 6  # a contract needs four


class _Strict(yaml.SafeLoader):
    """Rejects aliases, which can expand one line to a gigabyte, deep nesting and duplicate keys."""

    nesting = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            problem = f"nested deeper than {MAX_NESTING} levels"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self.nesting -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        return _without_duplicates(
            [
                (self.construct_object(key, deep=True), self.construct_object(value, deep=True))
                for key, value in node.value
            ]
        )


def read_contract(path: Path) -> Mapping[str, Expectations]:
    """Read the targets and the expectations for each, in the file's order.

    Raises:
        ExplorerError: the file is too large or is not a valid contract.
        OSError: the file cannot be read.
    """
    from ..inspection.contract import parse_contract

    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ExplorerError(f"{path}: a file of expectations can have at most {MAX_BYTES // 1024} KiB")
    try:
        text = data.decode("utf-8-sig")
        return parse_contract(_json(text) if path.suffix == ".json" else _yaml(text))
    except ExplorerError as error:
        raise ExplorerError(f"{path}: {error}") from None
    except UnicodeDecodeError:
        raise ExplorerError(f"{path}: expected YAML or JSON in UTF-8") from None
    except RecursionError:
        raise ExplorerError(f"{path}: nested too deeply") from None
    except ValueError as error:
        raise ExplorerError(f"{path}: not understood: {str(error)[:120]}") from None


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_duplicates)


def _yaml(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Strict)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ExplorerError(f"{line}{(error.problem or 'not understood as YAML')[:120]}") from None
    except yaml.YAMLError as error:
        raise ExplorerError(f"not understood as YAML: {str(error)[:120]}") from None


def _without_duplicates(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    data: dict[Any, Any] = {}
    for key, value in pairs:
        try:
            twice = key in data
        except TypeError:
            raise ExplorerError(f"got {quote(key)} as a name, expected text") from None
        if twice:
            raise ExplorerError(f"{quote(key)[1:-1]}: defined twice; define it once")
        data[key] = value
    return data
