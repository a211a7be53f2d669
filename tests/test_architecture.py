"""The house: imports fall one way, rooms have one concept, importing stays instant."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "ecosim"
# From the ground up: a room may import itself and the rooms before it.
HOUSE = (
    ("errors", "machine"),
    ("webs",),
    ("scenario",),
    ("theory",),
    ("analysis",),
    ("search", "training"),
    ("model",),
    ("worlds",),
    ("devices", "processes", "compilation"),
    ("programs",),
    ("breakage", "recording", "engine", "replication", "simulate", "batch", "invasion"),
    ("agents",),
    ("experiments",),
    ("sweeps",),
    ("studies",),
    ("verification",),
    ("app",),
    ("commands",),
    ("cli",),
    ("__main__",),
)
FLOOR = {room: floor for floor, rooms in enumerate(HOUSE) for room in rooms}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imported_rooms(path):
    """Return the rooms that a module imports anywhere, late imports and typing included."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
            names = names[1:] if node.module == "ecosim" else names[:1]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "ecosim" and len(parts) > 1:
                yield parts[1]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_fall_one_way(path):
    floor = FLOOR[room_of(path)]
    above = sorted({room for room in imported_rooms(path) if FLOOR[room] > floor})
    assert not above, f"{room_of(path)} may not import {above}"


def test_every_room_has_a_floor():
    assert {room_of(path) for path in MODULES} == set(FLOOR)


@pytest.mark.parametrize("path", sorted((PACKAGE / "theory").glob("*.py")), ids=lambda p: p.stem)
def test_closed_forms_import_nothing_of_ecosim(path):
    # Predictions are no closed forms: they take a scenario's numbers to one.
    assert path.stem == "predictions" or not list(imported_rooms(path))


@pytest.mark.parametrize("name", ["utils", "types", "core", "base", "helpers", "common", "misc"])
def test_there_is_no_grab_bag(name):
    assert not [path for path in MODULES if path.stem == name or name in path.parent.parts]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_stay_small(path):
    assert len(path.read_text().splitlines()) <= 320


def loaded_by(code):
    """Return the top-level modules that a fresh interpreter holds after running code."""
    program = f"import sys\n{code}\nprint(' '.join({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import ecosim", {"jax", "numpy", "pandas", "mesa", "pydantic", "networkx", "scipy"}),
        ("import ecosim.scenario", {"jax", "mesa", "pandas", "scipy", "networkx", "matplotlib"}),
        ("import ecosim.theory.predictions", {"jax", "mesa", "pandas"}),
        ("import ecosim.experiments.store", {"jax", "mesa"}),
    ],
)
def test_imports_stay_late(code, absent):
    assert not loaded_by(code) & absent
