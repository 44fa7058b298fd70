"""The OpenAPI document as the tests read it: operations by id, and what their answers must look like."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from urllib.parse import quote

from openapi_schema_validator import OAS31Validator, oas31_format_checker

Json = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation of the document, its references resolved where a test looks into them."""

    operation_id: str
    method: str
    path: str
    spec: Json
    components: Json

    @property
    def anyone(self) -> bool:
        return not self.spec["security"]

    @property
    def key(self) -> str | None:
        """``required``, ``optional``, or None where no Idempotency-Key is taken."""
        found = [p for p in self.parameters("header") if p["name"] == "Idempotency-Key"]
        return ("required" if found[0]["required"] else "optional") if found else None

    @property
    def body(self) -> Json | None:
        """The schema of a body in JSON."""
        if "requestBody" not in self.spec or self.file is not None:
            return None
        return self.resolved(self.spec["requestBody"]["content"]["application/json"]["schema"])

    @property
    def file(self) -> tuple[str, int] | None:
        """Media type and most bytes, where the body is a file."""
        content = self.spec.get("requestBody", {}).get("content", {})
        found = [(kind, said["schema"]["maxLength"]) for kind, said in content.items() if kind != "application/json"]
        return found[0] if found else None

    def parameters(self, place: str) -> list[Json]:
        return [p for p in self.spec.get("parameters", []) if p["in"] == place]

    def resolved(self, schema: Json) -> Json:
        """The schema itself where ``schema`` is a reference."""
        if "$ref" not in schema:
            return schema
        kind, name = schema["$ref"].split("/")[-2:]
        found: Json = self.components[kind][name]
        return found

    def url(self, path: dict[str, object], prefix: str = "") -> str:
        """The address with ``path`` filled in; what is not given is a well-formed number, name or id of nothing."""
        filled = self.path
        for parameter in self.parameters("path"):
            value = str(path.get(parameter["name"], _nothing(parameter["schema"])))
            filled = filled.replace(f"{{{parameter['name']}}}", quote(value, safe=""))
        return prefix + filled

    def misfit(self, status: int, media_type: str | None, answer: Any) -> str | None:
        """What is wrong with an answer by the document, if anything."""
        documented = self.spec["responses"].get(str(status)) or self.spec["responses"]["default"]
        content = self.resolved(documented)["content"]
        if status >= 400 and media_type != "application/problem+json":
            return f"a refusal as {media_type}"
        if media_type not in content:
            return f"{media_type} is not documented for {status}"
        if answer is None:
            return None
        schema = {**content[media_type]["schema"], "components": self.components}
        wrong = next(iter(OAS31Validator(schema, format_checker=oas31_format_checker).iter_errors(answer)), None)
        return None if wrong is None else f"{list(wrong.absolute_path)}: {wrong.message}"


class Description:
    """All operations of one document."""

    def __init__(self, document: Json) -> None:
        self.document = document

    @cached_property
    def operations(self) -> dict[str, Operation]:
        found = {}
        for path, item in self.document["paths"].items():
            shared = item.get("parameters", [])
            for method in ("get", "post", "put", "patch", "delete"):
                if method in item:
                    spec = {**item[method], "parameters": [*shared, *item[method].get("parameters", [])]}
                    found[spec["operationId"]] = Operation(
                        spec["operationId"], method.upper(), path, spec, self.document["components"]
                    )
        return found


@cache
def describe() -> Description:
    """The description with the development operation, without any database; made once in a process."""
    from flask import Flask

    from app.api.openapi import register_api

    return Description(register_api(Flask("described"), development=True).spec.to_dict())


def _nothing(schema: Json) -> str:
    if schema["type"] == "integer":
        return "7"
    return "2019-01" if "pattern" in schema else "019aa000-0000-7000-8000-000000000000"
