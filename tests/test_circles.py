"""No module of a package imports itself through others.

Counted are all imports of modules of the package that stand in its text: at the top, inside of functions and
under `if TYPE_CHECKING`. Not counted is that Python runs the packages around a module before it.
"""

from graphlib import TopologicalSorter

import grimp
import pytest


@pytest.mark.parametrize(
    "package", ["grid", "tasks", "models", "preprocessing", "transformers_py", "analysis"]
)
def test_no_circles(package: str) -> None:
    graph = grimp.build_graph(package, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert sum(map(len, imports.values())) > len(imports)
    TopologicalSorter(imports).prepare()  # a CycleError names the modules of a circle
