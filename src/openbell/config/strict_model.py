"""Base of the config's models, which refuses unknown keys and documents the known ones."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

    from openbell.model.json_object import JsonObject

__all__ = ["StrictModel", "describe_properties", "docs_of_keys"]


class StrictModel(BaseModel):
    """One level of the config file, in which unknown keys are errors."""

    # Validators are built when they are first used: those of most levels only ever as a part of the whole config.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
        return describe_properties(cls, core_schema, handler)


def describe_properties(cls: type, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
    """Build the JSON Schema of a level, described by its docstrings."""
    schema = handler(core_schema)
    properties = handler.resolve_ref_schema(schema)["properties"]
    for key, text in docs_of_keys(cls).items():
        properties[key].setdefault("description", text)
    return schema


# pydantic's use_attribute_docstrings reads the source of each class when the class is made, which costs every run a
# fifth of a second; the docs are needed for messages and for the JSON Schema only.
@cache
def docs_of_keys(cls: type) -> dict[str, str]:
    """Return the docstring of each key of a level, inherited keys included.

    The result is empty where the source code of the class cannot be read.
    """
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("openbell."):
            docs.update(_docs_in(base))
    return docs


def _docs_in(cls: type) -> dict[str, str]:
    try:
        source = inspect.getsource(cls)
    except OSError:
        return {}
    (definition,) = ast.parse(textwrap.dedent(source)).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101  what getsource returns of a class
    found = {}
    for statement, following in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            match following:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    found[statement.target.id] = inspect.cleandoc(text)
    return found
