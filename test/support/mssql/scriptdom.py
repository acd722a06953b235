"""Parses T-SQL with Microsoft's own parser (ScriptDom), as SQL Server 2016 reads it.

The parser is a .NET library; it comes, together with a .NET that runs it, inside the wheel of mssql-cli. Reads a JSON array
of batches from standard input, writes for each its errors and what its syntax tree tells.

    scriptdom.py FOLDER_OF_LIBRARIES
"""

import ctypes
import glob
import json
import os
import sys

os.environ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1"


def start_dotnet(folder):
    """Starts .NET in this process, with the library that Python talks to it through (pythonnet)."""
    import pythonnet

    bridge = os.path.join(os.path.dirname(pythonnet.__file__), "runtime", "Python.Runtime.dll")
    properties = {
        "TRUSTED_PLATFORM_ASSEMBLIES": ":".join([*glob.glob(f"{folder}/*.dll"), bridge]),
        "APP_PATHS": folder,
        "NATIVE_DLL_SEARCH_DIRECTORIES": folder,
        "System.Globalization.Invariant": "true",
    }
    keys = (ctypes.c_char_p * len(properties))(*[key.encode() for key in properties])
    values = (ctypes.c_char_p * len(properties))(*[value.encode() for value in properties.values()])
    runtime = ctypes.CDLL(os.path.join(folder, "libcoreclr.so"))
    host, domain, function = ctypes.c_void_p(), ctypes.c_uint(), ctypes.c_void_p()
    status = runtime.coreclr_initialize(
        sys.executable.encode(), b"scriptdom", len(properties), keys, values, ctypes.byref(host), ctypes.byref(domain)
    )
    assert status == 0, f"coreclr_initialize: {status & 0xFFFFFFFF:#x}"
    status = runtime.coreclr_create_delegate(
        host, domain, b"Python.Runtime", b"Python.Runtime.Loader", b"Initialize", ctypes.byref(function)
    )
    assert status == 0, f"coreclr_create_delegate: {status & 0xFFFFFFFF:#x}"
    nothing = ctypes.create_string_buffer(b"")
    assert ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)(function.value)(nothing, 0) == 0


start_dotnet(sys.argv[1])
import clr  # noqa: E402

clr.AddReference("Microsoft.SqlServer.TransactSql.ScriptDom")
from Microsoft.SqlServer.TransactSql.ScriptDom import TSql130Parser, TSqlFragmentVisitor  # noqa: E402
from System.IO import StringReader  # noqa: E402


class Facts(TSqlFragmentVisitor):
    __namespace__ = "Mtrack"

    def __init__(self):
        super().__init__()
        self.functions, self.types, self.columns, self.cases = set(), set(), set(), set()

    def Visit(self, node):
        kind = node.GetType().Name
        if kind == "FunctionCall":
            self.functions.add(node.FunctionName.Value.upper())
        elif kind in ("TryCastCall", "CastCall", "CoalesceExpression", "LeftFunctionCall", "NullIfExpression", "ConvertCall"):
            self.functions.add(kind.removesuffix("Call").removesuffix("Function").removesuffix("Expression").upper())
        elif kind == "OpenJsonTableReference":
            self.functions.add("OPENJSON")
        elif kind == "SqlDataTypeReference":
            self.types.add(node.SqlDataTypeOption.ToString().lower())
        elif kind == "UserDataTypeReference":
            self.types.add("user-defined " + node.Name.BaseIdentifier.Value.lower())
        elif kind == "ColumnReferenceExpression" and node.MultiPartIdentifier is not None:
            identifiers = node.MultiPartIdentifier.Identifiers
            last = identifiers[identifiers.Count - 1]
            self.columns.add(f"{last.QuoteType.ToString()} {last.Value}")
        elif kind in ("SearchedCaseExpression", "SimpleCaseExpression"):
            self.cases.add((node.StartOffset, node.StartOffset + node.FragmentLength))

    def depth_of_cases(self):
        inside = lambda a, b: b[0] <= a[0] and a[1] <= b[1]
        return max((sum(inside(each, other) for other in self.cases) for each in self.cases), default=0)


def parse(batch):
    fragment, errors = TSql130Parser(True).Parse(StringReader(batch), None)
    if errors.Count > 0:
        return {"errors": [f"{each.Line}:{each.Column} {each.Message}" for each in errors]}
    facts = Facts()
    fragment.Accept(facts)
    return {
        "errors": [],
        "functions": sorted(facts.functions),
        "types": sorted(facts.types),
        "columns": sorted(facts.columns),
        "depthOfCases": facts.depth_of_cases(),
    }


json.dump([parse(batch) for batch in json.load(sys.stdin)], sys.stdout)
